"""Which one metric speaks for a monitor: a violated one of its latest run, else the one that people ask for first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from driftline.alerting.metrics import place_of
from driftline.core.documents import Violation
from driftline.reporting.text import metric_label, shorten
from driftline.storage.last_runs import LastSpoken
from driftline.storage.recent_points import Key
from driftline.storage.types import canonical

HEADLINES = {"BinaryClassification": "f2", "MulticlassClassification": "accuracy", "Regression": "rmse"}
"""The metric of model quality that stands for the others where none is violated, by the problem's type."""
_FIRST = {"data-quality": "drifted_share", "attribution": "ndcg", "bias": "bias_metric_DPPL"}
_DATA = {"baseline_drift_check": "feature_baseline_drift_", "completeness_check": "feature_non_null_"}


class Watched(msgspec.Struct, frozen=True):
    """A metric as it is stored (``name``) and as people call it; ``words`` must be in its series' dimensions.

    ``threshold`` is that of the violation, None where the metric is not violated.
    """

    name: str
    label: str
    threshold: float | None = None
    violated: bool = False
    words: tuple[str, ...] = ()


def watched_metric(monitor: str, problem_type: str, violations: Sequence[Violation]) -> Watched:
    """The metric of a run that is worst, or the monitor's headline where nothing it publishes is violated."""
    named = (_violated(monitor, violation) for violation in violations)
    return next((one for one in named if one is not None), _headline(monitor, problem_type))


def series_of(schedule: LastSpoken, metric: str, *, of_batches: bool) -> Key:
    """The series of a metric that has no dimensions but those of its schedule."""
    namespace, dimensions = place_of(schedule.endpoint, schedule.name, schedule.monitor, of_batches=of_batches)
    return namespace, metric, canonical(dimensions)


def chosen(series: Sequence[Key], metric: Watched) -> Key | None:
    """Of several series of one name the first whose dimensions have the metric's words."""
    wanted = [msgspec.json.encode(word).decode() for word in metric.words]
    fitting = (one for one in series if all(word in one[2] for word in wanted))
    return next(fitting, series[0] if series and not metric.violated else None)


def _headline(monitor: str, problem_type: str) -> Watched:
    name = _FIRST.get(monitor) or HEADLINES.get(problem_type, "f2")
    labels = {"drifted_share": "Drifted share", "ndcg": "NDCG", "bias_metric_DPPL": "DPPL"}
    return Watched(name, labels.get(name) or metric_label(name))


def _violated(monitor: str, found: Violation) -> Watched | None:
    """How the metric of a violation is stored; None where nothing is published of it."""
    if monitor == "bias" and found.facet is not None:
        words = (found.facet, found.facet_value or "")
        label = f"{found.metric_name} of {shorten(f'{found.facet} {found.facet_value}', 40)}"
        return Watched(f"bias_metric_{found.metric_name}", label, found.threshold, True, words)
    if monitor == "attribution":
        return Watched("ndcg", f"NDCG of {shorten(found.label, 30)}", found.threshold, True, (found.label or "",))
    if monitor == "data-quality":
        return _violated_column(found)
    name = found.metric_name
    return None if name is None else Watched(name, metric_label(name), found.threshold, True)


def _violated_column(found: Violation) -> Watched | None:
    prefix = _DATA.get(found.constraint_check_type)
    if found.feature_name is None:
        return Watched("drifted_share", "Drifted share", found.threshold, True) if prefix else None
    if prefix is None:
        return None
    kind = "Drift of" if prefix.startswith("feature_baseline") else "Completeness of"
    label = f"{kind} {shorten(found.feature_name, 40)}"
    return Watched(prefix + found.feature_name, label, found.threshold, True)
