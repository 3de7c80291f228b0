"""Health of the program and of what it needs."""
