"""One mergeable state a file."""
