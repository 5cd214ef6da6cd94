"""How far a ranking is from another, where the first places count most: normalised discounted cumulative gain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Aligned(NamedTuple):
    """Features of both sides in one order: those of the baseline first, then those that only the live side has."""

    features: tuple[str, ...]
    baseline: Floats
    live: Floats


def aligned(baseline: Mapping[str, float], live: Mapping[str, float]) -> Aligned:
    """The attributions of both sides, feature by feature. A feature that one side does not have is 0 there.

    >>> aligned({"age": 2.0, "plan": 1.0}, {"plan": 3.0, "day": 0.5}).live.tolist()
    [0.0, 3.0, 0.5]
    """
    features = tuple(dict.fromkeys((*baseline, *live)))
    sides = (np.array([side.get(name, 0.0) for name in features], dtype=np.float64) for side in (baseline, live))
    return Aligned(features, *sides)


def ndcg(baseline: Floats, live: Floats) -> Floats:
    """The NDCG of rankings by ``live`` [..., features] against the attributions ``baseline`` [features]; [...].

    DCG = Σ a(fᵢ) / log2(i + 1), where a is the baseline's attribution and fᵢ the feature on place i (from 1) of the
    live ranking; divided by the DCG of the baseline's own ranking (Järvelin and Kekäläinen 2002, "Cumulated gain-based
    evaluation of IR techniques"; the worked example is that of the original service). 1 is the same ranking.

    Features with the same live attribution share their places: each gets the mean of their discounts, so that the order
    of columns does not matter (McSherry and Najork 2008, "Computing Information Retrieval Performance Measures
    Efficiently in the Presence of Tied Scores"). NaN where there is nothing to rank by: without features, when the
    baseline's attributions are all 0 or one of either side is no finite number. A single feature has 1.

    >>> round(float(ndcg(np.array([0.70, 0.50, 0.05]), np.array([0.10, 0.20, 0.70]))), 3)
    0.688
    """
    gains = _gains(baseline)
    if gains is None:
        return np.full(live.shape[:-1], np.nan)
    # By what is missing, which is exactly nothing for the same ranking.
    found = np.minimum(1 - (discounts(baseline) - discounts(live)) @ gains, 1.0)
    return np.where(np.isfinite(live).all(axis=-1), found, np.nan)


def losses(baseline: Floats, live: Floats) -> Floats:
    """What every feature takes from the NDCG by its move [features]; together they are 1 − NDCG.

    A feature that fell takes more, one that rose gives some back (a negative loss). NaN where the NDCG is.
    """
    gains = _gains(baseline)
    if gains is None or not np.isfinite(live).all():
        return np.full(len(baseline), np.nan)
    return (discounts(baseline) - discounts(live)) * gains


def _gains(baseline: Floats) -> Floats | None:
    """The attributions divided by the DCG of their own ranking; None where nothing can be measured by them."""
    largest = float(np.abs(baseline).max(initial=0.0))
    if not 0 < largest < np.inf:
        return None
    # Divided by the largest first: sums of very large numbers are not finite.
    relative = baseline / largest
    best = float(discounts(baseline) @ relative)
    return relative / best if best > 0 else None


def discounts(values: Floats) -> Floats:
    """1 / log2(place + 1) of every value's place in descending order [..., n]; equal values share the mean of theirs.

    >>> discounts(np.array([3.0, 7.0])).round(3).tolist(), discounts(np.array([1.0, 1.0])).round(3).tolist()
    ([0.631, 1.0], [0.815, 0.815])
    """
    if not values.size:
        return np.zeros(values.shape)
    rows, size = values.reshape(-1, values.shape[-1]), values.shape[-1]
    order, runs = _runs(rows)
    weights = np.tile(1 / np.log2(np.arange(2, size + 2)), len(rows))
    counts = np.bincount(runs)
    means = np.bincount(runs, weights=weights) / counts
    found = np.empty(rows.shape)
    np.put_along_axis(found, order, means[runs].reshape(rows.shape), axis=1)
    return found.reshape(values.shape)


def places(values: Floats) -> Ints:
    """The place of every value in descending order, from 1 [n]; equal values share the first of theirs.

    >>> places(np.array([0.5, 0.9, 0.5, 0.1])).tolist()
    [2, 1, 2, 4]
    """
    ascending = np.sort(-values)
    found: Ints = np.searchsorted(ascending, -values, side="left") + 1
    return found


def shares(values: Floats) -> Floats:
    """The share of each value's size in that of all [n]; 0 of values that are all 0, NaN of those not finite.

    >>> shares(np.array([3.0, 1.0, 0.0])).tolist()
    [0.75, 0.25, 0.0]
    """
    sizes = np.abs(values)
    largest = float(sizes.max(initial=0.0))
    if not np.isfinite(largest):
        return np.full(len(values), np.nan)
    # Divided by the largest first: a sum of very large or very small numbers is no finite one.
    relative = sizes / largest if largest > 0 else sizes
    total = float(relative.sum())
    return relative / total if total > 0 else relative


def _runs(rows: Floats) -> tuple[Ints, Ints]:
    """The descending order of every row, and for each place of all rows, one after another, the number of its run of
    equal values."""
    order: Ints = np.argsort(-rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    new = np.ones(rows.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    return order, np.cumsum(new.ravel()) - 1
