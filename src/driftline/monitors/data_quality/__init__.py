"""Data quality: what is in the columns of a table, whether it drifted, and whether it is as it should be."""
