"""Pure formulas: metrics from counts, curves, intervals."""
