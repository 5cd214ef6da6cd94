"""Bias: from rows to counts, from counts to metrics, and what is held against a baseline."""
