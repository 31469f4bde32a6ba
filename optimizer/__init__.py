"""optimizer: the few pieces of code that matter, the cheapest model that can do the job, every cent booked."""
