"""Pictures made by hand, byte by byte, for the tests."""
