"""Two distributions made comparable: numbers in the same bins, texts by the same categories, both as shares."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.core.table_statistics import FeatureStatistics, NumericalStatistics, StringStatistics
from driftline.reporting.matrix import class_label
from driftline.reporting.scales import LARGEST

BINS = 30
MOST_CATEGORIES = 20
_TAIL = 0.005
_Floats = NDArray[np.float64]


class Histogram(msgspec.Struct, frozen=True):
    """Shares of values by bin, over ``edges`` that both sides have; a side that is absent has no shares.

    ``now_rows`` and ``was_rows`` are the finite numbers that the shares are of. Where ``tails`` is true, values beyond
    the outer edges are counted in the outer bins. ``whole`` tells that all values are whole numbers.
    """

    edges: tuple[float, ...]
    now: tuple[float, ...] = ()
    was: tuple[float, ...] = ()
    now_rows: int = 0
    was_rows: int = 0
    tails: bool = False
    whole: bool = False


class Category(msgspec.Struct, frozen=True):
    """One text with its share on either side; ``new`` where the baseline surely does not have it."""

    label: str
    now: float
    was: float
    new: bool = False


class Categories(msgspec.Struct, frozen=True):
    """The most frequent categories, and the shares of all others, of which there are ``left`` or an unknown number."""

    shown: tuple[Category, ...]
    other: Category | None
    left: int | None
    now_rows: int = 0
    was_rows: int = 0


class _Side(msgspec.Struct, frozen=True):
    """Numbers with the weight of each, ascending; or the counts between edges, when only those are known."""

    values: _Floats
    weights: _Floats
    edges: _Floats
    rows: int

    def between(self, edges: _Floats) -> tuple[float, ...]:
        """The share of the values in each bin; what lies beyond the edges is in the outer bins."""
        below = self._below(edges[1:-1])
        whole = np.diff(np.concatenate(([0.0], below, [1.0])))
        return tuple(np.maximum(whole, 0.0).tolist())

    def _below(self, places: _Floats) -> _Floats:
        """The share of values less than each place."""
        summed = np.concatenate(([0.0], np.cumsum(self.weights / self.weights.sum())))
        if self.values.size:
            return np.asarray(summed[np.searchsorted(self.values, places)], dtype=np.float64)
        return np.interp(places, self.edges, summed)

    def middle(self) -> tuple[float, float]:
        """Between which values all but the outer half per cent lie."""
        if self.values.size:
            summed = np.cumsum(self.weights) / self.weights.sum()
            low, high = np.searchsorted(summed, (_TAIL, 1 - _TAIL))
            last = self.values.size - 1
            return float(self.values[min(low, last)]), float(self.values[min(high, last)])
        return float(self.edges[0]), float(self.edges[-1])


def histogram(now: FeatureStatistics | None, was: FeatureStatistics | None) -> Histogram | None:
    """The numbers of a feature in common bins; None where neither side has a number."""
    sides = [None if one is None else _side(one) for one in (now, was)]
    known = [side for side in sides if side is not None]
    if not known:
        return None
    whole = all(one is None or one.inferred_type == "Integral" for one in (now, was))
    low, high = _ends([_extent(side) for side in known])
    inner = _ends([side.middle() for side in known])
    # A few values far away would leave all others in one bin.
    tails = high - low > 5 * (inner[1] - inner[0]) > 0
    edges = _edges(*(inner if tails else (low, high)), whole=whole, exact=all(side.values.size for side in known))
    shares = [() if side is None else side.between(edges) for side in sides]
    rows = [0 if side is None else side.rows for side in sides]
    return Histogram(tuple(edges.tolist()), shares[0], shares[1], rows[0], rows[1], tails, whole)


def _side(feature: FeatureStatistics) -> _Side | None:
    found = feature.numerical
    if found is None:
        return None
    rows = max(feature.num_present - found.not_finite, 0)
    return _levels(found, rows) or _buckets(found, rows)


def _levels(found: NumericalStatistics, rows: int) -> _Side | None:
    """The values of a sketch, in order."""
    parts = [np.asarray(level, dtype=np.float64) for level in found.levels]
    weights = [np.full(part.size, 2.0 ** min(level, 60)) for level, part in enumerate(parts)]
    values, weight = _joined(parts), _joined(weights)
    kept = np.isfinite(values)
    values, weight = np.clip(values[kept], -LARGEST, LARGEST), weight[kept]
    if not values.size:
        return None
    order = np.argsort(values, kind="stable")
    return _Side(values[order], weight[order], np.empty(0), rows)


def _joined(parts: list[_Floats]) -> _Floats:
    return np.concatenate(parts) if parts else np.empty(0)


def _buckets(found: NumericalStatistics, rows: int) -> _Side | None:
    """The counts of the buckets, as if values lay evenly within each."""
    ends = [(bucket.lower, bucket.upper, bucket.count) for bucket in found.buckets]
    if not ends:
        return None
    table = np.asarray(ends, dtype=np.float64)
    edges = np.clip(np.append(table[:, 0], table[-1, 1]), -LARGEST, LARGEST)
    counts = np.maximum(table[:, 2], 0.0)
    usable = np.isfinite(edges).all() and np.isfinite(counts.sum()) and counts.sum() > 0
    if not usable or (np.diff(edges) < 0).any():
        return None
    return _Side(np.empty(0), counts, edges, rows)


def _extent(side: _Side) -> tuple[float, float]:
    places = side.values if side.values.size else side.edges
    return float(places[0]), float(places[-1])


def _ends(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def _edges(low: float, high: float, *, whole: bool, exact: bool) -> _Floats:
    """Where the bins lie: of whole numbers, each bin holds the same number of them."""
    span = high - low
    if whole and exact and max(abs(low), abs(high)) < 2**52:
        width = float(np.ceil((span + 1) / BINS))
        return np.asarray(low - 0.5 + width * np.arange(int(np.ceil((span + 1) / width)) + 1))
    if span <= 1e-9 * max(abs(low), abs(high), 1e-90):
        margin = max(0.05 * abs(low), 0.5)
        return np.asarray([low - 3 * margin, low - margin, low + margin, low + 3 * margin])
    return np.linspace(low, high, (BINS if exact else BINS // 2) + 1)


def categories(
    now: FeatureStatistics | None, was: FeatureStatistics | None, most: int = MOST_CATEGORIES
) -> Categories | None:
    """The texts of a feature with their shares, the baseline's order first; None where neither side has any."""
    sides = [None if one is None else one.string for one in (now, was)]
    counted = [{} if one is None else dict(one.categories) for one in sides]
    if not any(counted):
        return None
    rows = [0 if one is None or one.string is None else one.num_present for one in (now, was)]
    shares = [{text: count / max(rows[side], count, 1) for text, count in counted[side].items()} for side in (0, 1)]
    largest: dict[str, float] = {}
    for text in (*shares[1], *shares[0]):
        largest[text] = max(shares[0].get(text, 0.0), shares[1].get(text, 0.0))
    frequent = sorted(largest, key=lambda text: -largest[text])[:most]
    order = sorted(frequent, key=lambda text: (-shares[1].get(text, 0.0), -shares[0].get(text, 0.0)))
    known = sides[1] is not None and sides[1].complete
    shown = [_category(text, shares, new=known and text not in shares[1]) for text in order]
    other = _other(shown, sides, len(largest))
    return Categories(tuple(shown), other[0], other[1], rows[0], rows[1])


def _category(text: str, shares: list[dict[str, float]], *, new: bool) -> Category:
    return Category(class_label(text), shares[0].get(text, 0.0), shares[1].get(text, 0.0), new)


def _other(shown: list[Category], sides: list[Any], known: int) -> tuple[Category | None, int | None]:
    """The shares that are left on each side, and of how many categories if that is known."""
    present: list[StringStatistics] = [side for side in sides if side is not None]
    whole = all(side.complete for side in present)
    if whole and known <= len(shown):
        return None, 0
    rests = [
        0.0 if side is None else max(0.0, 1 - sum(pair))
        for side, pair in zip(sides, ([one.now for one in shown], [one.was for one in shown]), strict=True)
    ]
    return Category("other", rests[0], rests[1]), (known - len(shown) if whole else None)
