"""Where imports lead, one file for each family of languages."""
