"""The recipe of data quality: what a table's columns hold, whether they drifted, and what they must be."""
