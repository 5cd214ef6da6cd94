"""A user's Python scripts, each in a process of its own: before the analysis of records, and after a run."""
