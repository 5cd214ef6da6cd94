"""A bias analysis as a page needs it: by facet and value, every metric now and in the baseline, the worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from driftline.core.bias_analysis import STAGES, BiasAnalysis, BiasMetric, FacetBias, Stage
from driftline.core.bias_matching import PartKey, part_key
from driftline.core.bias_metrics import DESCRIPTIONS, fair_value
from driftline.core.documents import Violation
from driftline.core.verdict import Verdict
from driftline.reporting.report import BiasReport
from driftline.reporting.text import abridge

FOUND = {
    "violated": "✕ violated",
    "chance": "~ may be chance",
    "met": "✓ not worse",
    "unknown": "? not compared",
    "free": "",
}
"""What the run found of a metric, told apart without colour."""


class BiasRow(msgspec.Struct, frozen=True):
    """One metric of one part: what it is now, what it was, and what was found wrong with it; or why it was
    ``unchecked``."""

    stage: Stage
    name: str
    now: BiasMetric | None
    was: BiasMetric | None = None
    violation: Violation | None = None
    judged: bool = False
    unchecked: str = ""

    @property
    def value(self) -> float | None:
        """The value now."""
        return None if self.now is None else known(self.now.value)

    @property
    def before(self) -> float | None:
        """The value of the baseline."""
        return None if self.was is None else known(self.was.value)

    @property
    def error(self) -> str:
        """Why there is no value now."""
        if self.now is None:
            return "not measured this time"
        return "" if self.value is not None else self.now.error or "undefined"

    @property
    def fair(self) -> float:
        """The value without any bias."""
        return fair_value(self.name)

    @property
    def excess(self) -> float:
        """How much further it is from fair than the baseline was; 0 where that cannot be said."""
        if self.value is None or self.before is None:
            return 0.0
        apart = distance(self.value, self.fair) - distance(self.before, self.fair)
        return 0.0 if math.isnan(apart) else apart

    @property
    def found(self) -> str:
        """One of the keys of :data:`FOUND`."""
        if self.violation is not None:
            return "violated"
        if not self.judged:
            return "free"
        if self.value is None or self.before is None or self.unchecked:
            return "unknown"
        return "chance" if self.excess > 0 else "met"


class BiasPart(msgspec.Struct, frozen=True):
    """The rows of one value of a facet: their metrics before and after training."""

    facet: str
    value: str
    size: tuple[int, int] | None
    metrics: tuple[BiasRow, ...]

    @property
    def label(self) -> str:
        """The facet and the value as they are shown."""
        return f"{abridge(self.facet, 60) or '(no name)'}: {abridge(self.value, 60) or '(empty)'}"

    @property
    def violated(self) -> int:
        """How many metrics are violated."""
        return sum(row.violation is not None for row in self.metrics)

    def of(self, stage: Stage) -> list[BiasRow]:
        """The metrics of one stage."""
        return [row for row in self.metrics if row.stage == stage]


def known(value: float | None) -> float | None:
    """A value that is a number; it may be infinite."""
    return None if value is None or math.isnan(value) else value


def distance(value: float, fair: float) -> float:
    """How far a value is from the fair one."""
    return abs(value - fair)


def parts_of(report: BiasReport) -> list[BiasPart]:
    """Every value of every facet that either side knows: those with violations first, then by how much worse they are.

    A violation that fits no metric is left out; the page lists all violations besides.
    """
    now, was = _by_key(report.current), _by_key(report.baseline)
    left = _unchecked(report)
    found: dict[tuple[str, str], list[BiasRow]] = {}
    shown: dict[tuple[str, str], FacetBias] = {}
    for key in dict.fromkeys((*now, *was)):
        part, place = now.get(key) or was[key], key[1:]
        shown.setdefault(place, part)
        found.setdefault(place, []).extend(_rows(part, now.get(key), was.get(key), report, left))
    parts = [_part(shown[place], rows) for place, rows in found.items()]
    return sorted(parts, key=lambda one: (-one.violated, -max((row.excess for row in one.metrics), default=0.0)))


def _unchecked(report: BiasReport) -> dict[str, str]:
    """Why metrics were not checked, by what the reasons of the run call them (``DPL of sex f``)."""
    given = [reason.evidence.get("metrics") for reason in report.reasons if reason.code == "not_compared"]
    found = [one for one in given if isinstance(one, Mapping)]
    return {str(name): str(why) for one in found for name, why in one.items()}


def _by_key(analysis: BiasAnalysis | None) -> dict[PartKey, FacetBias]:
    return {} if analysis is None else {part_key(part): part for part in analysis.facets}


def _part(shown: FacetBias, rows: list[BiasRow]) -> BiasPart:
    ordered = sorted(rows, key=lambda row: STAGES.index(row.stage))
    return BiasPart(shown.facet, shown.value_or_threshold, shown.rows, tuple(ordered))


def _rows(
    part: FacetBias, now: FacetBias | None, was: FacetBias | None, report: BiasReport, left: Mapping[str, str]
) -> list[BiasRow]:
    sides = [{} if side is None else {metric.name: metric for metric in side.metrics} for side in (now, was)]
    wrong = {} if now is None else _violations(now, report.violations)
    judged = report.verdict is not None and report.baseline is not None
    none = "nothing was checked" if report.verdict is Verdict.UNKNOWN else ""
    return [
        BiasRow(
            part.stage,
            name,
            sides[0].get(name),
            sides[1].get(name),
            wrong.get(name),
            judged,
            left.get(f"{name} of {part.facet} {part.value_or_threshold}", none),
        )
        for name in dict.fromkeys((*sides[0], *sides[1]))
    ]


def _violations(part: FacetBias, violations: Sequence[Violation]) -> dict[str | None, Violation]:
    return {
        one.metric_name: one
        for one in violations
        if (one.facet, one.facet_value) == (part.facet, part.value_or_threshold)
        and (one.stage or _stage(one)) == part.stage
    }


def _stage(violation: Violation) -> Stage | None:
    """The stage of a violation that does not say it: no name of a metric is in both."""
    return next((stage for stage in STAGES if violation.metric_name in DESCRIPTIONS[stage]), None)
