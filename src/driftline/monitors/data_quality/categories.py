"""The counts of two columns of text side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from driftline.core.table_statistics import FeatureStatistics, StringStatistics
from driftline.stats.weighted import Floats


class Counts(NamedTuple):
    """How often each category occurs now and in the baseline."""

    now: Floats
    before: Floats


def side_by_side(now: FeatureStatistics, before: FeatureStatistics) -> Counts | None:
    """The counts of the same categories; None where one side has no texts or no distribution of them.

    A category that only one side lists counts as itself where the other side lists all it has, so that it is known to
    be absent there. What then remains of either side is one more category.
    """
    if now.string is None or before.string is None:
        return None
    one, other = dict(now.string.categories), dict(before.string.categories)
    if (now.num_present and not one) or (before.num_present and not other):
        return None
    names = list(one.keys() & other.keys())
    names += one.keys() - other.keys() if before.string.complete else ()
    names += other.keys() - one.keys() if now.string.complete else ()
    names.sort()  # sums of floats depend on the order
    return _with_rest(_listed(one, names), _listed(other, names), now.num_present, before.num_present)


def _listed(counts: dict[str, int], names: Iterable[str]) -> Floats:
    return np.array([counts.get(name, 0) for name in names], dtype=np.float64)


def _with_rest(now: Floats, before: Floats, n: int, m: int) -> Counts:
    rests = max(0.0, n - now.sum()), max(0.0, m - before.sum())
    if not any(rests):
        return Counts(now, before)
    return Counts(np.append(now, rests[0]), np.append(before, rests[1]))


def new_categories(
    now: StringStatistics | None, known: Iterable[str] | None, most: int = 10
) -> tuple[tuple[str, int], ...]:
    """The most frequent categories that are not among the known ones, with their counts; none of what is not known."""
    if now is None or known is None:
        return ()
    expected = set(known)
    return tuple(pair for pair in now.categories if pair[0] not in expected)[:most]
