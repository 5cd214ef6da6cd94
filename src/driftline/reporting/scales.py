"""From numbers to places: linear scales, round ticks, and the points of a curve that can be told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import msgspec

from driftline.reporting.svg import Point

LARGEST = 1e100
MOST_POINTS = 900


class Scale(msgspec.Struct, frozen=True):
    """A linear scale from ``low``…``high`` to ``start``…``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; one beyond the ends is drawn at the end.

        >>> Scale(0, 1, 40, 340)(0.5), Scale(0, 1, 40, 340)(7)
        (190.0, 340.0)
        """
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def domain(values: Iterable[float], *, include: float = 0.0) -> tuple[float, float]:
    """Round ends around the values and ``include``; never of no extent.

    >>> domain([3.2, 41.0]), domain([-0.3, 0.8]), domain([])
    ((0.0, 50.0), (-0.5, 1.0), (0.0, 1.0))
    """
    known = [include, *values]
    low, high = min(known), max(known)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-90):
        high = low + max(abs(low), 1.0)
    step = _step(low, high, 5)
    return _tidy(math.floor(low / step + 1e-9) * step, step), _tidy(math.ceil(high / step - 1e-9) * step, step)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values within the ends, about ``most`` of them.

    >>> ticks(0, 1), ticks(-3, 12)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 5.0, 10.0])
    """
    step = _step(low, high, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_tidy(index * step, step) for index in range(first, min(last, first + 50) + 1)]


def tick_labels(values: Sequence[float]) -> list[str]:
    """The ticks with just as many digits as tell them apart.

    >>> tick_labels([0.0, 0.5, 1.0]), tick_labels([0.0, 2e6])
    (['0.0', '0.5', '1.0'], ['0', '2,000,000'])
    """
    step = min((abs(b - a) for a, b in itertools.pairwise(values)), default=1.0)
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e7 or step < 1e-4:
        return [f"{value:.4g}" for value in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{value:,.{digits}f}" for value in values]


def _step(low: float, high: float, most: int) -> float:
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    return next((unit * power for unit in (1, 2, 5) if unit * power >= rough * (1 - 1e-9)), 10 * power)


def _tidy(value: float, step: float) -> float:
    """A multiple of a step without the dust of binary fractions."""
    return round(value, max(0, min(300, 1 - math.floor(math.log10(step))))) + 0.0


def thin(points: Sequence[Point]) -> list[Point]:
    """The points of a line that show at the size it is drawn.

    Of a stretch within one pixel column the first, the highest, the lowest and the last are kept, so that the line
    covers the same pixels; of a line that runs to and fro without end, evenly spread ones.
    """
    kept: list[Point] = []
    stretch: list[Point] = []
    for point in points:
        if stretch and math.floor(point[0]) != math.floor(stretch[0][0]):
            kept += _outline(stretch)
            stretch = []
        stretch.append(point)
    kept += _outline(stretch)
    if len(kept) <= MOST_POINTS:
        return kept
    last = len(kept) - 1
    return [kept[round(index * last / (MOST_POINTS - 1))] for index in range(MOST_POINTS)]


def _outline(stretch: list[Point]) -> list[Point]:
    if len(stretch) <= 4:
        return stretch
    heights = [y for _, y in stretch]
    chosen = {0, len(stretch) - 1, heights.index(min(heights)), heights.index(max(heights))}
    return [stretch[index] for index in sorted(chosen)]
