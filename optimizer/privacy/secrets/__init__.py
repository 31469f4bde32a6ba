"""Secrets in texts: the rules, how a text is read, the scan, payloads of requests, and placeholders."""
