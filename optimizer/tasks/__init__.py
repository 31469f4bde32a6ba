"""Background tasks: their kinds, the loop that does them, and how the process of the helper is reached."""
