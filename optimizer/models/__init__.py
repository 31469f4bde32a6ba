"""The catalogue of models, their state, and which of them can be asked now."""
