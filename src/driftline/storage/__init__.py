"""The store: relational state, object folders, the clock."""
