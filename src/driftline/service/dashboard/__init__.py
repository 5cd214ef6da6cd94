"""Compound reads for pages: one module a noun, functions that take the service."""
