"""Contracts: JSON Schemas of events, read strictly, resolved inside the project, checked against a profile."""
