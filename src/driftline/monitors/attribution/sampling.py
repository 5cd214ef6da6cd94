"""How many rows have to be explained."""

from __future__ import annotations

import math

from driftline.core.attribution_analysis import Attribution, AttributionAnalysis

PILOT = 1000
"""Rows that are explained to see how many are needed."""


def rows_needed(pilot: AttributionAnalysis, error: float) -> int:
    """How many rows bring the 95 % interval of every feature's attribution within ± ``error`` of the sum of all.

    ``error`` 0.01 is one hundredth of what all features of an output weigh together. The reach of an interval shrinks
    with the square root of the rows, so it follows from the intervals of ``pilot``, an analysis of some of the rows.
    An output that nothing weighs in needs no more rows than there were.
    """
    widest = max((_reach(label.features) for label in pilot.labels), default=0.0)
    return max(1, math.ceil(pilot.rows * (widest / error) ** 2))


def _reach(features: tuple[Attribution, ...]) -> float:
    """How far the widest interval of a feature reaches from its value, as a share of the sum of all values."""
    total = math.fsum(abs(one.value) for one in features)
    intervals = ((one.value, one.confidence_interval) for one in features)
    reaches = [max(value - found.lower, found.upper - value) for value, found in intervals if found is not None]
    return max(reaches, default=0.0) / total if 0 < total < math.inf else 0.0
