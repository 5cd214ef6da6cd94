"""The recipes: which analyzers, how to suggest, how to check, what to publish."""
