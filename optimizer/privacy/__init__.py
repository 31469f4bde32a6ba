"""Consent per destination and repository, the secret scan, and the egress log."""
