"""What the repository holds: files, symbols, imports and words, kept in SQLite by content."""
