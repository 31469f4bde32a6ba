"""What kind of task a query is, and which models to try in which order."""
