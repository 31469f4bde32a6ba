"""Checks that a patch must pass before it is offered."""
