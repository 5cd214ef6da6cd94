"""An estimate without labels as charts and tables need it, whichever problem type it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from driftline.core.documents import FAMILIES, Constraint
from driftline.reporting.charts.mark import SIGNS, Mark, Status
from driftline.reporting.metrics import is_bounded
from driftline.reporting.statistics import Entry, Statistics, finite, mapping, read_entry, whole
from driftline.reporting.text import metric_label, shorten


class Doubt(msgspec.Struct, frozen=True):
    """Why there is no estimate: a code, a sentence, and the numbers it rests on."""

    code: str
    message: str
    facts: dict[str, Any]


class Estimate(msgspec.Struct, frozen=True):
    """What ``estimated_…_metrics`` says. ``within`` tells, once labels are in, which truths were in their intervals."""

    problem: str
    rows: int
    level: float | None
    method: str
    metrics: dict[str, Entry]
    doubts: tuple[Doubt, ...]
    within: dict[str, bool]

    @property
    def given(self) -> bool:
        """Whether any metric could be estimated."""
        return any(entry.value is not None for entry in self.metrics.values())


def read_estimate(document: Mapping[str, Any]) -> Estimate | None:
    """The estimate of a ``statistics.json``, if it holds one; what cannot be used is left out and never raises."""
    keys = ((problem, f"estimated_{family}_metrics") for problem, family in FAMILIES.items())
    problem, node = next(((problem, mapping(document.get(key))) for problem, key in keys if key in document), ("", {}))
    if not node:
        return None
    conditions = node.get("conditions")
    return Estimate(
        problem,
        whole(node.get("rows")) or 0,
        finite(node.get("level")),
        shorten(node.get("method") or "", 120),
        {str(name): _entry(entry) for name, entry in mapping(node.get("metrics")).items()},
        tuple(map(_doubt, conditions)) if isinstance(conditions, list | tuple) else (),
        {str(name): inside for name, inside in mapping(node.get("within")).items() if isinstance(inside, bool)},
    )


def _entry(node: object) -> Entry:
    given = mapping(node)
    ends = {name: given.get(name) for name in ("lower", "upper")}
    return read_entry({"confidence_interval": ends, **given})


def _doubt(node: object) -> Doubt:
    given = mapping(node)
    facts = {str(name): fact for name, fact in mapping(given.get("evidence")).items()}
    return Doubt(shorten(given.get("code") or "unknown", 60), shorten(given.get("message") or "", 200), facts)


def estimate_marks(estimate: Estimate, measured: Statistics, constraints: Mapping[str, Constraint]) -> list[Mark]:
    """Every estimated metric, the constrained ones first; with the truth only where it was held against it."""
    names = dict.fromkeys([*(name for name in constraints if name in estimate.metrics), *estimate.metrics])
    return [_mark(name, estimate, measured, constraints.get(name)) for name in names]


def _mark(name: str, estimate: Estimate, measured: Statistics, constraint: Constraint | None) -> Mark:
    entry, inside = estimate.metrics[name], estimate.within.get(name)
    truth = measured.metrics.get(name) if inside is not None else None
    status: Status = "free" if inside is None else "inside" if inside else "outside"
    return Mark(
        label=metric_label(name),
        value=entry.value,
        rows=estimate.rows,
        status=status,
        lower=entry.lower,
        upper=entry.upper,
        threshold=None if constraint is None else finite(constraint.threshold),
        sign="≥" if constraint is None else SIGNS.get(constraint.comparison_operator, "≥"),
        error=entry.error,
        bounded=is_bounded(name, estimate.problem),
        estimated=True,
        truth=None if truth is None else truth.value,
    )
