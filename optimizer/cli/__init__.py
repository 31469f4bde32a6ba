"""The command line: a lazy table of commands, the one error boundary, and what a person sees."""
