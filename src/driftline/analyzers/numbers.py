"""Mean, spread, sum and extremes of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.state import State

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Squares of numbers beyond these powers of two leave the range of a double, so such numbers are scaled by 2**600.
_LARGE, _TINY, _SCALE = 2.0**450, 2.0**-400, 600


@dataclass(frozen=True, eq=False)
class NumberState(State):
    """``count`` finite numbers: ``total``, summed squared distance from their mean (``spread``), ``low`` and ``high``.

    The sum is that of two numbers, of which ``rest`` holds the digits that ``total`` has no room for, so that large
    values close together lose none. Both are in units of 2**``scale``, which follows from the extremes, and the spread
    in units of its square. ``nan``, ``above`` and ``below`` count NaN, infinity and minus infinity, which take part in
    nothing else. Before any number was seen the extremes are inverted infinities.
    """

    count: int = 0
    total: float = 0.0
    rest: float = 0.0
    spread: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    nan: int = 0
    above: int = 0
    below: int = 0

    @property
    def scale(self) -> int:
        """0, or 600 where a number is very large, or -600 where all are tiny."""
        return _scale(self.low, self.high) if self.count else 0

    @property
    def not_finite(self) -> int:
        """How many values were NaN or infinite."""
        return self.nan + self.above + self.below


@dataclass(frozen=True)
class Moments:
    """The numbers that a state stands for; ``std_dev`` is that of the population.

    All are None where there is no finite number. Numbers up to 1.8e308 have a mean and a deviation all the same; only
    their ``sum`` may be too large for a double. It is None then, and ``reason`` says so.
    """

    count: int
    mean: float | None = None
    sum: float | None = None
    std_dev: float | None = None
    min: float | None = None
    max: float | None = None
    reason: str | None = None


class Numbers:
    """Sums up numbers. A batch needs ``value`` (double); nulls are left out."""

    name = "numbers"

    def identity(self) -> NumberState:
        """The state of no numbers."""
        return NumberState()

    def update(self, batch: pa.RecordBatch) -> NumberState:
        """The state of one batch."""
        values = batch.column("value").drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
        finite = values[np.isfinite(values)]
        return with_not_finite(self.of(finite), values)

    def of(self, values: Floats) -> NumberState:
        """The state of finite numbers."""
        return self.of_counted(values, None)

    def of_counted(self, values: Floats, counts: Ints | None) -> NumberState:
        """The state of finite numbers, of which each occurs ``counts`` times."""
        if not len(values):
            return self.identity()
        low, high = float(values.min()) + 0.0, float(values.max()) + 0.0
        scale = _scale(low, high)
        if scale:
            values = np.ldexp(values, -scale)
        # Around one of the values, so that numbers which are all the same have no spread at all.
        centre = float(values[len(values) // 2])
        count, shift, squares = _summed(values - centre, counts)
        total, rest = _split(Fraction(centre) * count + Fraction(shift))
        return NumberState(count, total, rest, max(squares - shift * shift / count, 0.0), low, high)

    def merge(self, states: Sequence[NumberState]) -> NumberState:
        """The state of all the numbers the states saw; their order does not matter."""
        some = [state for state in states if state.count]
        low = min((state.low for state in some), default=math.inf)
        high = max((state.high for state in some), default=-math.inf)
        parts = [_scaled(state, _scale(low, high)) for state in some]
        exact, count = sum((_total(part) for part in parts), Fraction()), sum(part.count for part in parts)
        total, rest = _split(exact)
        # Chan, Golub and LeVeque (1983), for all parts at once.
        apart = [float(_total(part) / part.count - exact / count) for part in parts]
        spread = math.fsum(part.spread + part.count * gap * gap for part, gap in zip(parts, apart, strict=True))
        nan, above, below = (sum(getattr(state, name) for state in states) for name in ("nan", "above", "below"))
        return NumberState(count, total, rest, spread, low, high, nan, above, below)

    def result(self, state: NumberState) -> Moments:
        """The moments of the finite numbers seen."""
        if not state.count:
            return Moments(0, reason="no finite number")
        unit, n = Fraction(2) ** state.scale, state.count
        exact = _total(state) * unit
        mean = float(min(max(exact / n, Fraction(state.low)), Fraction(state.high)))
        total = _as_float(exact)
        deviation = _as_float(Fraction(math.sqrt(state.spread / n)) * unit)
        reason = "the numbers are too large for a sum" if total is None else None
        return Moments(n, mean, total, deviation, state.low, state.high, reason)


def with_not_finite(state: NumberState, values: Floats) -> NumberState:
    """The state with the count of the values that are NaN, infinite and minus infinite."""
    nan, above, below = (
        int(np.count_nonzero(part)) for part in (np.isnan(values), values == np.inf, values == -np.inf)
    )
    return replace(state, nan=state.nan + nan, above=state.above + above, below=state.below + below)


def _summed(distances: Floats, counts: Ints | None) -> tuple[int, float, float]:
    """Number, sum and sum of squares."""
    if counts is None:
        total = float(distances.sum())
        np.square(distances, out=distances)
        return len(distances), total, float(distances.sum())
    weighed = distances * counts
    return int(counts.sum()), float(weighed.sum()), float((weighed * distances).sum())


def _scale(low: float, high: float) -> int:
    largest = max(-low, high)
    if largest > _LARGE:
        return _SCALE
    return -_SCALE if 0 < largest < _TINY else 0


def _scaled(state: NumberState, scale: int) -> NumberState:
    """The state in larger units."""
    by = state.scale - scale
    if not by:
        return state
    total, rest = math.ldexp(state.total, by), math.ldexp(state.rest, by)
    return replace(state, total=total, rest=rest, spread=math.ldexp(state.spread, 2 * by))


def _total(state: NumberState) -> Fraction:
    return Fraction(state.total) + Fraction(state.rest)


def _split(exact: Fraction) -> tuple[float, float]:
    """The nearest double, and what it is off by."""
    nearest = float(exact)
    return nearest, float(exact - Fraction(nearest))


def _as_float(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
