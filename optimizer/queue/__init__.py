"""The queue of background tasks: durable, shared by processes, each task with one result."""
