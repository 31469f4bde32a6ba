"""Run a command that sees and touches only what it is given."""
