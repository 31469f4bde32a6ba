"""Every attempt booked in integer micro-dollars, and what the books say."""
