"""Anomaly bands: what a metric's own past lets expect of its next value. Pure.

The centre is the median, the spread 1.4826 times the median absolute deviation from it (for a normal distribution the
standard deviation; Rousseeuw and Croux, 1993), so that up to half of the past may be outliers without moving the band.
Of independent normal values, one datapoint falls outside by chance with these probabilities (by simulation; the spread
is uncertain after a short past, which is why they are above 0.27 % and 0.006 %, the values after an endless one):

=========  =======  =======  =======
width      20 past  50 past  100 past
=========  =======  =======  =======
3          2.2 %    0.83 %   0.51 %
4          0.52 %   0.089 %  0.032 %
5          0.14 %   0.009 %  0.002 %
=========  =======  =======  =======
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

from driftline.resources.alarms import Band, Operator

SCALE = 1.4826
"""Makes the median absolute deviation of normal values their standard deviation: 1 / Φ⁻¹(3/4)."""
_ROUNDING = 1e-9


def limits(band: Band, past: Sequence[float]) -> tuple[float, float] | None:
    """The lower and upper limit after these values; None when they are too few.

    A past without any spread leaves room for rounding only.

    >>> limits(Band(width=3, least=3), [1.0, 2.0, 3.0])
    (-2.4478, 6.4478)
    >>> limits(Band(least=3), [1.0, 2.0]) is None
    True
    """
    if len(past) < band.least:
        return None
    centre = median(past)
    spread = SCALE * median(abs(value - centre) for value in past)
    room = max(band.width * spread, _ROUNDING * abs(centre))
    return centre - room, centre + room


def past_of(band: Band, before: Sequence[tuple[datetime, float | None]], time: datetime) -> list[float]:
    """Of the datapoints before a time (oldest first), the values that its band rests on."""
    recent = before[-band.history :]
    hour = time.astimezone(UTC).hour
    wanted = [at_value for at_value in recent if band.season == "none" or at_value[0].astimezone(UTC).hour == hour]
    return [value for _, value in wanted if value is not None and math.isfinite(value)]


def outside(operator: Operator, value: float, lower: float, upper: float) -> bool:
    """Whether a value is on the wrong side of a band: below, above or either, as the operator says.

    >>> outside("GreaterThanUpperThreshold", 3.0, 0.0, 2.0), outside("LessThanLowerThreshold", 3.0, 0.0, 2.0)
    (True, False)
    """
    below = operator != "GreaterThanUpperThreshold" and value < lower
    return below or (operator != "LessThanLowerThreshold" and value > upper)
