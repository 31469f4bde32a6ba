"""From settings to the services of a run."""
