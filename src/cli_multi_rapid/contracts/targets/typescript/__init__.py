"""Contracts as TypeScript, read and written strictly, and run by Node.js."""
