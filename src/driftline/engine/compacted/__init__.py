"""An hour of small capture files as one Parquet file: every line of every one of them, and what is read of each."""
