"""Prompts, tools and the bounded conversation with one model."""
