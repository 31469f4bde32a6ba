"""The whole path of a request: run() yields events and questions, and landing writes."""
