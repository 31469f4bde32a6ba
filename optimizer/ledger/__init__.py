"""Usage records of all calls in integer micro-dollars, prices, caps and summaries."""
