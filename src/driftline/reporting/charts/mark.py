"""What a chart of metrics shows of one metric, and how that is said in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from driftline.reporting.scales import LARGEST
from driftline.reporting.text import count, number

Status = Literal["violated", "met", "undefined", "free", "inside", "outside"]
GLYPHS: dict[str, str] = {
    "violated": "✕ violated",
    "met": "✓ met",
    "undefined": "? undefined",
    "free": "",
    "inside": "✓ inside",
    "outside": "✕ outside",
}
"""What the run found, told apart without colour; ``inside`` and ``outside`` are of a truth held against an estimate."""
SIGNS = {"LessThanThreshold": "≥", "GreaterThanThreshold": "≤"}


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the chart. ``sign`` is ≥ where the value must be at least the threshold, ≤ where at most.

    A ``bounded`` metric can only lie between 0 and 1. Of an ``estimated`` one ``truth`` is what the labels gave.
    """

    label: str
    value: float | None
    rows: int
    status: Status = "free"
    lower: float | None = None
    upper: float | None = None
    threshold: float | None = None
    sign: str = "≥"
    baseline: float | None = None
    error: str = ""
    bounded: bool = True
    estimated: bool = False
    truth: float | None = None

    def numbers(self) -> list[float]:
        """Every number that is drawn."""
        given = (self.value, self.lower, self.upper, self.threshold, self.baseline, self.truth)
        return [value for value in given if value is not None and abs(value) <= LARGEST]


def spoken(marks: Sequence[Mark]) -> str:
    """The first marks as sentences, for those who hear the chart."""
    return "; ".join(map(_sentence, marks[:20]))


def _sentence(mark: Mark) -> str:
    if mark.value is None:
        return f"{mark.label} has no value: {mark.error}"
    kind = " estimated at" if mark.estimated else ""
    interval = "" if mark.lower is None else f" ({number(mark.lower)} to {number(mark.upper)})"
    truth = "" if mark.truth is None else f", measured {number(mark.truth)}"
    return f"{mark.label}{kind} {number(mark.value)}{interval}{truth}{_found(mark)}, n {count(mark.rows)}"


def _found(mark: Mark) -> str:
    """The verdict on a mark, and what is wanted of it."""
    wanted = "" if mark.threshold is None else f"{('at least', 'at most')[mark.sign == '≤']} {number(mark.threshold)}"
    if mark.estimated:
        status = "" if mark.status == "free" else f", {mark.status} the interval"
        return status + (f", threshold {wanted}" if wanted else "")
    return f", {mark.status}: {wanted}" if wanted else ""
