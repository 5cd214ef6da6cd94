"""Pages for people: charts as inline SVG, and the report of a run as one file that needs nothing else."""
