"""Durable, gated, auditable phases for developer tools and coding agents."""
