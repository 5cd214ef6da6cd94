"""Runs that Spark measures: each module stands beside that of one machine and gives the same numbers."""
