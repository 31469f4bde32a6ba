"""Every git process: what git lists, the history, commits, merges and checkouts."""
