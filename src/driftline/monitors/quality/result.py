"""What a model-quality measurement yields, and how a metric gets its deviation and its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from driftline.core.documents import FAMILIES, Interval, Metric, ProblemType, metric_document
from driftline.stats import jackknife

LEVEL = 0.95
MINIMUM_FOR_DEVIATION = 200
CURVE_POINTS = 1000
Values = dict[str, float | None]
Bounds = Callable[[str, float, Sequence[float | None]], tuple[tuple[float, float], str] | None]


class QualityResult(msgspec.Struct, frozen=True):
    """The metrics of a set of rows; ``extras`` are the parts of the statistics that are not single numbers."""

    problem_type: ProblemType
    item_count: int
    metrics: dict[str, Metric]
    extras: dict[str, Any] = {}


def statistics_document(result: QualityResult, evaluation_time: str) -> dict[str, Any]:
    """The content of ``statistics.json``."""
    family = dict(result.extras)
    family |= {name: metric_document(metric) for name, metric in result.metrics.items()}
    dataset = {"item_count": result.item_count, "evaluation_time": evaluation_time}
    return {"version": 0.0, "dataset": dataset, f"{FAMILIES[result.problem_type]}_metrics": family}


def measured(
    every: Values, samples: Sequence[Values], without: Sequence[Values], errors: dict[str, str], bounds: Bounds
) -> dict[str, Metric]:
    """Metrics with their deviation over the samples and their interval.

    ``without`` are the metrics with one group of rows after the other left out. ``bounds`` gives interval and method
    from a metric's name, its value and its values in ``without``. ``errors`` say why a metric can be undefined.
    """
    return {
        name: Metric(None, error=errors.get(name, "undefined for this data"))
        if value is None
        else Metric(value, deviation([sample[name] for sample in samples]), _interval(name, value, without, bounds))
        for name, value in every.items()
    }


def deviation(values: Sequence[float | None]) -> float | None:
    """The standard deviation over the samples; None where there are none or one of them has no value."""
    known = [value for value in values if value is not None]
    if not known or len(known) != len(values):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(np.std(known))
    return found if np.isfinite(found) else None


def jackknifed(value: float, without: Sequence[float | None], scale: jackknife.Scale) -> tuple[float, float] | None:
    """The jackknife's interval on a scale; None where the metric has no value without some group."""
    known = [left for left in without if left is not None]
    return jackknife.interval(value, known, LEVEL, scale) if len(known) == len(without) else None


def _interval(name: str, value: float, without: Sequence[Values], bounds: Bounds) -> Interval | None:
    found = bounds(name, value, [values[name] for values in without])
    return None if found is None else Interval(*found[0], LEVEL, found[1])
