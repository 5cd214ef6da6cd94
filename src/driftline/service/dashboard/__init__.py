"""What pages ask for: compound reads over several nouns, one module a subject."""
