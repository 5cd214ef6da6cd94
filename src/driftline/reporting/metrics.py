"""The metrics of a run beside their constraints and baseline, one row each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftline.core.documents import Constraint
from driftline.reporting.charts.mark import SIGNS, Mark, Status
from driftline.reporting.statistics import Entry, Statistics, finite
from driftline.reporting.text import metric_label, shorten

CONSTANT = "_best_constant_classifier"
_UNBOUNDED = ("loss", "entropy", "perplexity")
_BASES = {
    "recall": "actual",
    "true_positive_rate": "actual",
    "false_negative_rate": "actual",
    "true_negative_rate": "negatives",
    "false_positive_rate": "negatives",
    "precision": "predicted",
}


class Row(msgspec.Struct, frozen=True):
    """A metric as the chart draws it, with what only the table says; ``why`` its threshold was suggested."""

    mark: Mark
    entry: Entry
    constant: float | None
    why: str


def metric_rows(
    now: Statistics, baseline: Statistics, constraints: Mapping[str, Constraint], violated: frozenset[str]
) -> list[Row]:
    """Every metric, the constrained ones first in the order of the constraints.

    The same metric of the best constant classifier is no row of its own but stands beside the metric.
    """
    others = (name for name in now.metrics if not (name.endswith(CONSTANT) and _plain(name) in now.metrics))
    names = dict.fromkeys([*constraints, *others])
    bases = row_bases(now)
    return [_row(name, now, baseline, constraints.get(name), name in violated, bases) for name in names]


def _plain(name: str) -> str:
    return name.removesuffix(CONSTANT)


def _row(
    name: str,
    now: Statistics,
    baseline: Statistics,
    constraint: Constraint | None,
    violated: bool,
    bases: Mapping[str, int],
) -> Row:
    entry = now.metrics.get(name, Entry(None, error="not computed for this data"))
    before, constant = baseline.metrics.get(name), now.metrics.get(name + CONSTANT)
    threshold = None if constraint is None else finite(constraint.threshold)
    mark = Mark(
        label=metric_label(name),
        value=entry.value,
        rows=bases.get(name, now.rows),
        status=_status(entry.value, constraint, violated=violated),
        lower=entry.lower,
        upper=entry.upper,
        threshold=threshold,
        sign="≥" if constraint is None else SIGNS.get(constraint.comparison_operator, "≥"),
        baseline=None if before is None else before.value,
        error=entry.error,
        bounded=is_bounded(name, now.problem),
    )
    why = "" if constraint is None else shorten(constraint.suggestion or "", 160)
    return Row(mark, entry, None if constant is None else constant.value, why)


def is_bounded(name: str, problem: str) -> bool:
    """Whether a metric can only lie between 0 and 1, as far as its name tells."""
    return problem != "Regression" and not any(part in name for part in _UNBOUNDED)


def _status(value: float | None, constraint: Constraint | None, *, violated: bool) -> Status:
    """What the run found; a value beyond its threshold that the run does not list is never called met."""
    if violated:
        return "violated"
    if constraint is None:
        return "free"
    if value is None:
        return "undefined"
    less = constraint.comparison_operator == "LessThanThreshold"
    return "met" if (value >= constraint.threshold if less else value <= constraint.threshold) else "free"


def row_bases(statistics: Statistics) -> dict[str, int]:
    """The rows a metric of a binary problem is a share of, such as the actual positives for recall."""
    matrix = statistics.matrix
    if statistics.problem != "BinaryClassification" or not {"0", "1"} >= set(matrix.labels) or "1" not in matrix.labels:
        return {}
    place = matrix.labels.index("1")
    actual, predicted = matrix.actual()[place], matrix.predicted()[place]
    sums = {"actual": actual, "predicted": predicted, "negatives": matrix.total - actual}
    return {name: sums[base] for name, base in _BASES.items()}
