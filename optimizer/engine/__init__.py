"""The whole path of a request: run() yields events, commit() writes."""
