"""Series in time with their gaps: what can be drawn, and where a line must break."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median

from driftline.reporting.scales import LARGEST

_LONGEST = 1.6
"""A pause longer than so many usual steps is a gap."""

Places = Sequence[tuple[datetime, float | None]]
"""Times with values, oldest first; None is a value that is missing."""


def stretches(points: Places) -> Iterator[list[tuple[float, float]]]:
    """The parts of a line that have no gap, as times in seconds and values.

    A line breaks where a value is missing, and where there was none for longer than usual.
    """
    times = [moment.timestamp() for moment, _ in points]
    steps = [after - before for before, after in itertools.pairwise(times)]
    longest = _LONGEST * median(steps) if steps else math.inf
    part: list[tuple[float, float]] = []
    for time, (_, value) in zip(times, points, strict=True):
        if part and (value is None or not drawable(value) or time - part[-1][0] > longest):
            yield part
            part = []
        if value is not None and drawable(value):
            part.append((time, value))
    if part:
        yield part


def drawable(value: float) -> bool:
    """Whether a value has a place in a chart."""
    return math.isfinite(value) and abs(value) <= LARGEST
