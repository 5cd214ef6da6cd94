"""Data quality: how columns are profiled, what is suggested, what is checked, what is published."""
