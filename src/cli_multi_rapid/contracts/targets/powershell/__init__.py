"""Contracts as PowerShell modules with classes."""
