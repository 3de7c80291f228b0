"""Turns evidence into gate results; what cannot be evaluated is an error, never a pass."""
