"""Reports for people and machines, rendered from stored results only."""
