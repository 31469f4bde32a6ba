"""Settings with their origins, features, keys and the places of files."""
