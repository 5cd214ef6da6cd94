"""Metrics of vectors of class probabilities: log loss, top-k accuracy and the areas of each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from driftline.analyzers.scores import ScoreDistribution
from driftline.analyzers.vectors import VectorSums
from driftline.core.documents import Interval, Metric, metric_document
from driftline.monitors.quality.result import LEVEL, Values, deviation, jackknifed, measured
from driftline.stats import intervals, ranking

TOP = (2, 3, 5)
AREAS = ("roc_auc_ovr", "weighted_roc_auc_ovr")


def vector_metrics(sums: VectorSums, samples: Any, *, weighted: bool) -> dict[str, Metric]:
    """Every metric of the vectors. ``samples`` are the groups of the five 80 % samples."""
    if not sums.rows:
        return {}
    groups = np.flatnonzero(sums.weight)
    total = _Sums.of(sums, np.ones(len(sums.weight), dtype=bool))
    without = [_Sums.of(sums, np.arange(len(sums.weight)) != group).values() for group in groups]
    parts = [_Sums.of(sums, kept).values() for kept in samples]

    def bounds(name: str, value: float, left: Sequence[float | None]) -> tuple[tuple[float, float], str] | None:
        if name != "log_loss" and not weighted:
            found = intervals.wilson(value * sums.rows, sums.rows, LEVEL)
            return None if found is None else (found, "Wilson score")
        scale = "log" if name == "log_loss" else "logit"
        found = jackknifed(value, left, scale)  # type: ignore[arg-type]
        return None if found is None else (found, f"delete-a-group jackknife on the {scale}")

    every = total.values()
    return measured(every, parts, without, dict.fromkeys(every, "no rows"), bounds) | _averages(sums.scores, samples)


def class_areas(sums: VectorSums, classes: Sequence[str], *, weighted: bool) -> dict[str, Any]:
    """By class the area of its probability against all other classes, and how many rows are of it."""
    found = {}
    for name, scores in zip(classes, sums.scores, strict=True):
        area = ranking.roc_auc(scores.table)
        document = metric_document(_area(scores, area, weighted=weighted))
        found[name] = document | {"actual": area.positives}
    return found


def rounding(sums: VectorSums) -> dict[str, Any]:
    """What rounding of scores did, where there were too many to keep: the largest error bound of any class."""
    rounded = [scores for scores in sums.scores if scores.rounding]
    if not rounded:
        return {}
    bound = max(ranking.ties_bound(scores.table) for scores in rounded)
    error = max(scores.rounding for scores in rounded)
    return {"score_rounding": {"relative_error_of_a_score": error, "error_bound_of_auc": bound}}


class _Sums:
    """The sums over some groups, and the metrics they stand for."""

    def __init__(self, weight: float, loss: float, places: Any) -> None:
        self._weight, self._loss, self._places = weight, loss, places

    @classmethod
    def of(cls, sums: VectorSums, kept: Any) -> _Sums:
        return cls(float(sums.weight[kept].sum()), float(sums.loss[kept].sum()), sums.places[kept].sum(axis=0))

    def values(self) -> Values:
        names = {f"top_{k}_accuracy": k for k in TOP if k < len(self._places)}
        if self._weight <= 0:
            return dict.fromkeys(("log_loss", *names))
        right = {name: min(1.0, float(self._places[:k].sum()) / self._weight) for name, k in names.items()}
        return {"log_loss": self._loss / self._weight, **right}


def _area(scores: ScoreDistribution, area: ranking.Area, *, weighted: bool) -> Metric:
    if area.auc is None:
        return Metric(None, error="no row of this class" if area.positives == 0 else "no row of any other class")
    if weighted:
        found, method = jackknifed(area.auc, scores.areas_without(), "logit"), "delete-a-group jackknife on the logit"
    else:
        found = intervals.area(area.auc, area.variance, area.positives, area.negatives, LEVEL)
        method = "DeLong on the logit" if area.variance > 0 and 0 < area.auc < 1 else "Newcombe score"
    return Metric(area.auc, None, None if found is None else Interval(*found, LEVEL, method))


def _averages(scores: Sequence[ScoreDistribution], samples: Any) -> dict[str, Metric]:
    """The mean of the areas of the classes that have one, plain and weighted by the classes' shares."""
    areas = [ranking.roc_auc(one.table) for one in scores]
    known = [place for place, area in enumerate(areas) if area.auc is not None]
    if not known:
        return {name: Metric(None, error="fewer than two classes occur") for name in AREAS}
    weights = np.array([areas[place].positives for place in known])
    every = np.array([areas[place].auc for place in known])
    parts = [[scores[place].area(kept) for place in known] for kept in samples]
    without = list(zip(*(scores[place].areas_without() for place in known), strict=True))
    found = {}
    for name, given in zip(AREAS, (np.ones(len(known)), weights), strict=True):
        shares = given / given.sum()
        value = float(every @ shares)
        left = [_mean(part, shares) for part in without]
        bounds = jackknifed(value, left, "logit")
        interval = None if bounds is None else Interval(*bounds, LEVEL, "delete-a-group jackknife on the logit")
        found[name] = Metric(value, deviation([_mean(part, shares) for part in parts]), interval)
    return found


def _mean(part: Sequence[float | None], shares: Any) -> float | None:
    known = [value for value in part if value is not None]
    return float(np.array(known) @ shares) if len(known) == len(part) else None
