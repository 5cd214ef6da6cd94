"""What a run's page tells of an analysis: the bias of facets, and what weighs in predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from driftline.core.analysis_documents import read_attribution, read_bias
from driftline.core.attribution_analysis import Attribution
from driftline.core.attribution_document import EXPLANATIONS
from driftline.core.bias_document import BIAS_SECTIONS
from driftline.core.bias_metrics import fair_value
from driftline.core.documents import Interval, dump
from driftline.resources.executions import Execution

MOST_FEATURES = 20
_SOURCE = "the run"


class Line(msgspec.Struct, frozen=True):
    """A line of a table: what it is about in several cells, the value, and what stands beside it."""

    about: tuple[str, ...]
    value: str
    interval: str
    beside: str


def bias_lines(run: Execution) -> list[Line]:
    """Every bias metric of a run by stage, facet and value; ``beside`` is the fair value. None of another monitor."""
    if not (run.item_count and any(section in run.statistics for section in BIAS_SECTIONS.values())):
        return []
    return [
        Line(
            (metric.name, facet.facet, facet.value_or_threshold),
            f"undefined: {metric.error}" if metric.value is None else f"{metric.value:.4f}",
            _interval(metric.confidence_interval),
            f"{fair_value(metric.name):g}",
        )
        for facet in read_bias(dump(run.statistics), _SOURCE).facets
        for metric in facet.metrics
    ]


def attribution_lines(run: Execution) -> list[Line]:
    """The heaviest features of each output; ``beside`` is the share in all. None of another monitor."""
    if not (run.item_count and EXPLANATIONS in run.statistics):
        return []
    labels = read_attribution(dump(run.statistics), _SOURCE).labels
    return [line for label in labels for line in _features(label.label, label.features)]


def rankings(run: Execution) -> list[str]:
    """How each output's ranking of features compares with the baseline's, in a sentence."""
    found: Sequence[Mapping[str, Any]] = run.statistics.get("driftline_drift", ()) if attribution_lines(run) else ()
    return [
        f"{one['label']}: not compared with the baseline ({one.get('error')})"
        if one.get("ndcg") is None
        else f"{one['label']}: NDCG {one['ndcg']:.4f}, where 1 is the baseline's ranking"
        for one in found
    ]


def _features(label: str, features: Sequence[Attribution]) -> list[Line]:
    whole = sum(abs(one.value) for one in features) or 1.0
    heaviest = sorted((one for one in features if one.value), key=lambda one: -abs(one.value))[:MOST_FEATURES]
    return [
        Line(
            (one.feature, label),
            f"{one.value:.4g}",
            _interval(one.confidence_interval),
            f"{abs(one.value) / whole:.1%}",
        )
        for one in heaviest
    ]


def _interval(found: Interval | None) -> str:
    return "" if found is None else f"{found.lower:.4g} to {found.upper:.4g}"
