"""The few pieces of code that matter to a query, fitted to a budget."""
