"""Questions and renames that the index answers with no model."""
