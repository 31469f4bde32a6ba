"""The catalogue of models and which of them can be asked right now."""
