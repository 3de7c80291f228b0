"""The outside world: processes, files, git, YAML, the event store."""
