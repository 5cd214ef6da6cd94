"""Which metric of a monitor is shown where there is room for one."""

from __future__ import annotations

MAIN_METRICS = ("f2", "f1", "weighted_f2", "accuracy", "rmse", "mae", "drifted_share", "ndcg")
"""In this order, the first that a run has."""
