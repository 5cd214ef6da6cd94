"""What the labels say, when they come, of estimates made without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from driftline.stats.calibrator import Condition

WATCHED = ("accuracy", "precision", "recall", "true_negative_rate", "auc")
"""The metrics whose misses count; the others say the same again."""
RECENT = 20
SIGNIFICANCE = 0.01
"""How often a sound estimate may be called contradicted, all watched metrics together."""


class Bounded(Protocol):
    """A metric's estimate, as far as it can be wrong."""

    @property
    def lower(self) -> float | None:
        """The lower bound, if there is an estimate."""

    @property
    def upper(self) -> float | None:
        """The upper bound, if there is an estimate."""


def check(estimated: Mapping[str, Bounded], realised: Mapping[str, float | None]) -> dict[str, bool | None]:
    """For each estimated metric whether the realised value is within its interval; None where either has no value."""
    return {name: _inside(one, realised.get(name)) for name, one in estimated.items()}


def _inside(one: Bounded, value: float | None) -> bool | None:
    if value is None or one.lower is None or one.upper is None:
        return None
    # A realised value may be another rounding of the same fraction.
    return one.lower - 1e-9 <= value <= one.upper + 1e-9


def contradicted(
    history: Sequence[Mapping[str, bool | None]], *, level: float = 0.95, watched: Sequence[str] = WATCHED
) -> Condition | None:
    """Whether the latest labelled windows, oldest first, were outside their intervals more often than chance allows.

    This is what shows a concept drift that scores cannot show. For each watched metric, the misses of sound intervals
    are at most binomial with probability 1 - level; the smallest tail is compared with the significance divided by
    the number of metrics (Bonferroni). At 95 % three misses in a row or in five are too many, and one in twenty never.
    """
    recent = history[-RECENT:]
    found = [
        _tail(name, [seen for window in recent if (seen := window.get(name)) is not None], level) for name in watched
    ]
    chance, name, misses, windows = min(found, default=(1.0, "", 0, 0))
    if chance >= SIGNIFICANCE / max(1, len(watched)):
        return None
    facts = {"metric": name, "outside": misses, "windows": windows, "level": level, "chance": chance}
    return Condition(
        "estimate_contradicted", "labels of recent windows put the metrics outside their estimated intervals", facts
    )


def _tail(name: str, inside: Sequence[bool], level: float) -> tuple[float, str, int, int]:
    """The chance of so many misses or more."""
    n, misses, miss = len(inside), inside.count(False), 1 - level
    tail = sum(math.comb(n, k) * miss**k * level ** (n - k) for k in range(misses, n + 1))
    return tail, name, misses, n
