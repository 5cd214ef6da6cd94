"""The parts of the page, each built from what the run found."""
