"""Data quality: statistics of columns, their drift from a baseline, and what they are held against."""
