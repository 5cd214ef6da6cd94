"""How likely chance alone makes two samples differ as much as they do."""

from __future__ import annotations

import math

import numpy as np

from driftline.stats import tails
from driftline.stats.numeric_distances import Gaps
from driftline.stats.weighted import Floats

SMALL, SMALL_SHARE, SMALL_OF_TWO = 5.0, 0.2, 10.0


def kolmogorov_smirnov(between: Gaps, n: float, m: float, rank_error: float = 0.0) -> float:
    """The two-sample test of Kolmogorov and Smirnov, by its limit.

    ``rank_error`` is what the two sketches together may have added to the statistic: it is taken off. Equal values make
    the test conservative.
    """
    return tails.kolmogorov(math.sqrt(n * m / (n + m)) * max(0.0, between.largest - rank_error))


def kuiper(between: Gaps, n: float, m: float, rank_error: float = 0.0) -> float:
    """The two-sample test of Kuiper, by its limit: it sees a change of spread as well as a shift."""
    return tails.kuiper(math.sqrt(n * m / (n + m)) * max(0.0, between.both_sides - 2 * rank_error))


def numeric(between: Gaps, n: float, m: float, rank_error: float = 0.0) -> float:
    """Twice the smaller p-value of the tests of Kolmogorov–Smirnov and of Kuiper (Bonferroni): a shift is best seen by
    the first, a change of spread by the second."""
    both = kolmogorov_smirnov(between, n, m, rank_error), kuiper(between, n, m, rank_error)
    return min(1.0, 2 * min(both))


def homogeneity(now: Floats, before: Floats) -> float:
    """Pearson's chi-square test that two samples, given as counts of the same categories, have the same shares.

    Categories with an expected count below 5 in the smaller sample are taken together, the rarest first, until none is
    left. Where fewer than two remain, nothing can be told: 1.
    """
    total = now + before
    share = min(now.sum(), before.sum()) / total.sum()
    order = np.argsort(total, kind="stable")
    expected = total[order] * share
    pooled = np.cumsum(expected)
    first = int(np.searchsorted(expected, SMALL))
    if first:
        first = max(first, int(np.searchsorted(pooled, SMALL)) + 1)
    groups = [_pooled(counts[order], first) for counts in (now, before)]
    if len(groups[0]) < 2:
        return 1.0
    n, m = groups[0].sum(), groups[1].sum()
    statistic = np.sum((math.sqrt(m / n) * groups[0] - math.sqrt(n / m) * groups[1]) ** 2 / (groups[0] + groups[1]))
    return tails.chi_square(float(statistic), len(groups[0]) - 1)


def fit(now: Floats, before: Floats) -> float | None:
    """Pearson's chi-square test of counts against the shares of a baseline, which is taken for the truth.

    The rarest categories are taken together until at most 20 % of the expected counts are below 5 (Yates), or, where
    two categories are left, none is below 10 (Cochran), and until every one is expected at all. None where no two
    categories are left.
    """
    order = np.argsort(before, kind="stable")
    expected = before[order] * (now.sum() / before.sum())
    first = _regrouped(expected)
    if first is None:
        return None
    wanted, observed = _pooled(expected, first), _pooled(now[order], first)
    return tails.chi_square(float(np.sum((observed - wanted) ** 2 / wanted)), len(wanted) - 1)


def _regrouped(expected: Floats) -> int | None:
    """How many of the smallest expected counts, in ascending order, must be taken together; None: too few remain."""
    pooled = np.concatenate(([np.inf, np.inf], np.cumsum(expected)[1:]))  # of none and of one nothing is pooled
    first = np.arange(len(pooled))
    groups = len(expected) - np.maximum(first - 1, 0)
    small = np.maximum(np.searchsorted(expected, SMALL) - first, 0) + (pooled < SMALL)
    smallest = np.minimum(pooled, np.append(expected, np.inf)[first])
    sound = np.where(groups == 2, smallest >= SMALL_OF_TWO, small <= SMALL_SHARE * groups)
    usable = np.flatnonzero(sound & (groups >= 2) & (smallest > 0) & (first != 1))
    return int(usable[0]) if len(usable) else None


def _pooled(counts: Floats, first: int) -> Floats:
    """The first counts as one, then the others."""
    return counts if first == 0 else np.concatenate(([counts[:first].sum()], counts[first:]))
