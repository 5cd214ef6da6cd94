"""Bias in one kind of outcome, labels or predictions: how differently a facet and all other rows come off.

Every function takes counts ``[..., facet, outcome]``, both of length 2: rows beside the facet (the advantaged, a) come
before those in it (the disadvantaged, d), negative outcomes before positive ones. The leading axes are of any shape, so
that resampled tables are computed at once. NaN stands where a metric is undefined: on either side there is no row.

The definitions are those of Amazon SageMaker Clarify's developer guide ("Measure Pre-training Bias") and of Das et al.,
"Fairness Measures for Machine Learning in Finance" (2021).
"""

from __future__ import annotations

import numpy as np

from driftline.stats.bias_ratios import Counts, Floats, both_sides, difference, ratio, where_known


def class_imbalance(counts: Counts) -> Floats:
    """CI = (nₐ − n_d) / (nₐ + n_d), from −1 to 1: positive where few rows are in the facet.

    >>> float(class_imbalance(np.array([[2, 1], [1, 0]])))
    0.5
    """
    sides = counts.sum(axis=-1)
    return where_known(ratio(sides[..., 0] - sides[..., 1], sides.sum(axis=-1)), both_sides(counts, (-1,)))


def proportion_difference(counts: Counts) -> Floats:
    """DPL and DPPL: qₐ − q_d, where q is the share of positive outcomes.

    >>> float(proportion_difference(np.array([[1, 3], [2, 2]])))
    0.25
    """
    positive = _shares(counts)[..., 1]
    return where_known(difference(positive[..., 0], positive[..., 1]), both_sides(counts, (-1,)))


def disparate_impact(counts: Counts) -> Floats:
    """DI = q_d / qₐ; fair is 1. Infinite where only the facet has positive outcomes.

    >>> float(disparate_impact(np.array([[1, 3], [2, 2]]))) * 3
    2.0
    """
    positive = _shares(counts)[..., 1]
    return where_known(ratio(positive[..., 1], positive[..., 0]), both_sides(counts, (-1,)))


def kullback_leibler(counts: Counts) -> Floats:
    """KL = Σ Pₐ log(Pₐ/P_d), from 0; infinite where an outcome of the others never occurs in the facet."""
    shares = _shares(counts)
    return where_known(_divergence(shares[..., 0, :], shares[..., 1, :]), both_sides(counts, (-1,)))


def jensen_shannon(counts: Counts) -> Floats:
    """JS = ½ KL(Pₐ, P) + ½ KL(P_d, P) with P = ½ (Pₐ + P_d), from 0 to log 2 (Lin 1991)."""
    shares = _shares(counts)
    middle = shares.mean(axis=-2)
    found = (_divergence(shares[..., 0, :], middle) + _divergence(shares[..., 1, :], middle)) / 2
    return where_known(found, both_sides(counts, (-1,)))


def euclidean_distance(counts: Counts) -> Floats:
    """LP = √Σ (Pₐ − P_d)², the norm of order 2."""
    return where_known(np.sqrt((_gaps(counts) ** 2).sum(axis=-1)), both_sides(counts, (-1,)))


def total_variation(counts: Counts) -> Floats:
    """TVD = ½ Σ |Pₐ − P_d|."""
    return where_known(np.abs(_gaps(counts)).sum(axis=-1) / 2, both_sides(counts, (-1,)))


def largest_gap(counts: Counts) -> Floats:
    """KS = max |Pₐ − P_d|."""
    return where_known(np.abs(_gaps(counts)).max(axis=-1), both_sides(counts, (-1,)))


def conditional_disparity(counts: Counts) -> Floats:
    """CDDL and CDDPL, of counts ``[..., facet, outcome, group]``: Σ nᵢ DDᵢ / n over the groups i.

    DD = (the facet's share of the negative outcomes) − (its share of the positive ones); a share of no outcomes is 0.
    NaN also where there is no positive or no negative outcome at all (Wachter, Mittelstadt and Russell 2020).

    >>> float(conditional_disparity(np.array([[[1], [1]], [[1], [0]]])))
    0.5
    """
    shares = ratio(counts[..., 1, :, :], counts.sum(axis=-3))
    disparity = shares[..., 0, :] - shares[..., 1, :]
    weights = counts.sum(axis=(-3, -2))
    found = ratio((weights * disparity).sum(axis=-1), weights.sum(axis=-1))
    outcomes = (counts.sum(axis=(-3, -1)) > 0).all(axis=-1)
    return where_known(found, outcomes & both_sides(counts, (-2, -1)))


def _shares(counts: Counts) -> Floats:
    """On each side the share of every outcome."""
    return ratio(counts, counts.sum(axis=-1, keepdims=True))


def _gaps(counts: Counts) -> Floats:
    shares = _shares(counts)
    return shares[..., 0, :] - shares[..., 1, :]


def _divergence(p: Floats, q: Floats) -> Floats:
    """Σ p log(p/q); an outcome that p never has counts nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / q), 0.0)
    return np.asarray(terms.sum(axis=-1), dtype=np.float64)
