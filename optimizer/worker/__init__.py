"""The process of the helper: it does background tasks and leaves when there are none."""
