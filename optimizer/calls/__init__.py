"""Calls of models: admission, one call, its usage record, memory for local models; knows no repository but by name."""
