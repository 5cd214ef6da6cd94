"""Metrics of vectors of class probabilities: log loss, top-k accuracy and the areas of each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from driftline.analyzers.vectors import VectorSums
from driftline.core.documents import Metric, metric_document
from driftline.monitors.quality.areas import class_areas
from driftline.monitors.quality.binary import whole
from driftline.monitors.quality.result import LEVEL, Values, jackknifed, measured
from driftline.stats import intervals, ranking
from driftline.stats.jackknife import Scale

TOP = (2, 3, 5)


def vector_metrics(
    sums: VectorSums, classes: Sequence[str], samples: Any, *, weighted: bool
) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Every metric of the vectors, and the areas by class with what rounding did to them, for the statistics.

    ``samples`` are the groups of the five 80 % samples.
    """
    areas, averages = class_areas(sums.scores, samples, weighted=weighted)
    by_class = {
        name: metric_document(area) | {"actual": whole(float(scores.table.positives.sum()))}
        for name, area, scores in zip(classes, areas, sums.scores, strict=True)
    }
    return _sum_metrics(sums, samples, weighted=weighted) | averages, {"one_vs_rest_auc": by_class} | _rounding(sums)


def _sum_metrics(sums: VectorSums, samples: Any, *, weighted: bool) -> dict[str, Metric]:
    groups = np.flatnonzero(sums.weight)
    every = _values(sums, np.ones(len(sums.weight), dtype=bool))
    without = [_values(sums, np.arange(len(sums.weight)) != group) for group in groups]
    parts = [_values(sums, kept) for kept in samples]

    def bounds(name: str, value: float, left: Sequence[float | None]) -> tuple[tuple[float, float], str] | None:
        if name != "log_loss" and not weighted:
            found = intervals.wilson(value * sums.rows, sums.rows, LEVEL)
            return None if found is None else (found, "Wilson score")
        scale: Scale = "log" if name == "log_loss" else "logit"
        found = jackknifed(value, left, scale)
        return None if found is None else (found, f"delete-a-group jackknife on the {scale}")

    return measured(every, parts, without, dict.fromkeys(every, "no rows"), bounds)


def _values(sums: VectorSums, kept: Any) -> Values:
    """The metrics of the rows in some of the groups; top-k accuracy is told only where k leaves a class out."""
    places = sums.places[kept].sum(axis=0)
    names = {f"top_{k}_accuracy": k for k in TOP if k < len(places)}
    weight = float(sums.weight[kept].sum())
    if weight <= 0:
        return dict.fromkeys(("log_loss", *names))
    right = {name: min(1.0, float(places[:k].sum()) / weight) for name, k in names.items()}
    return {"log_loss": float(sums.loss[kept].sum()) / weight, **right}


def _rounding(sums: VectorSums) -> dict[str, Any]:
    """What rounding of scores did, where there were too many to keep: the largest error bound of any class."""
    rounded = [scores for scores in sums.scores if scores.rounding]
    if not rounded:
        return {}
    bound = max(ranking.ties_bound(scores.table) for scores in rounded)
    error = max(scores.rounding for scores in rounded)
    return {"score_rounding": {"relative_error_of_a_score": error, "error_bound_of_auc": bound}}
