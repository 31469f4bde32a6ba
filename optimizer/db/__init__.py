"""SQLite stores that open safely, and queues of leases in them."""
