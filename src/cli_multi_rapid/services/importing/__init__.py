"""Making phases of workflow files of other systems."""
