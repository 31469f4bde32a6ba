"""The formats in which models give edits, a file each."""
