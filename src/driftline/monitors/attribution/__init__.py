"""Feature attribution: what weighs in a model's predictions, and whether it is still what weighed in the baseline."""
