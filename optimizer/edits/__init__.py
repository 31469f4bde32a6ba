"""From a model's reply to a patch in memory, and from a patch to files, all or nothing."""
