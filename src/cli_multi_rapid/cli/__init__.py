"""The command line: one lazy command table behind three faces."""
