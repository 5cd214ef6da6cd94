"""Bias in how predictions agree with labels: what a facet and all other rows get right and wrong.

Every function takes counts ``[..., facet, label, predicted]``, each of length 2: rows beside the facet (the advantaged,
a) before those in it (the disadvantaged, d), negative before positive. Leading axes are of any shape. NaN stands where
a metric is undefined: on either side there is no row. A rate of nothing is 0 (0 / 0), so that a rate which cannot be
told counts as none; the ratios of conditional acceptance and of treatment may be infinite.

The definitions are those of Amazon SageMaker Clarify's developer guide ("Measure Post-training Data and Model Bias")
and of Das et al., "Fairness Measures for Machine Learning in Finance" (2021).
"""

from __future__ import annotations

import numpy as np

from driftline.stats.bias_ratios import Counts, Floats, both_sides, difference, ratio, where_known

_SIDE = (-2, -1)


def conditional_acceptance(cells: Counts) -> Floats:
    """DCA = cₐ − c_d, where c = positive labels / positive predictions."""
    return _gap(cells, ratio(cells.sum(axis=-1)[..., 1], cells.sum(axis=-2)[..., 1]))


def conditional_rejection(cells: Counts) -> Floats:
    """DCR = r_d − rₐ, where r = negative labels / negative predictions."""
    return 0.0 - _gap(cells, ratio(cells.sum(axis=-1)[..., 0], cells.sum(axis=-2)[..., 0]))


def recall_difference(cells: Counts) -> Floats:
    """RD = recallₐ − recall_d."""
    return _gap(cells, ratio(cells[..., 1, 1], cells.sum(axis=-1)[..., 1]))


def specificity_difference(cells: Counts) -> Floats:
    """SD = specificity_d − specificityₐ."""
    return 0.0 - _gap(cells, ratio(cells[..., 0, 0], cells.sum(axis=-1)[..., 0]))


def acceptance_rates(cells: Counts) -> Floats:
    """DAR = precisionₐ − precision_d: of the accepted, how many rightly."""
    return _gap(cells, ratio(cells[..., 1, 1], cells.sum(axis=-2)[..., 1]))


def rejection_rates(cells: Counts) -> Floats:
    """DRR = r_d − rₐ, where r is the share of negative predictions that are right."""
    return 0.0 - _gap(cells, ratio(cells[..., 0, 0], cells.sum(axis=-2)[..., 0]))


def accuracy_difference(cells: Counts) -> Floats:
    """AD = accuracyₐ − accuracy_d."""
    return _gap(cells, ratio(cells[..., 0, 0] + cells[..., 1, 1], cells.sum(axis=_SIDE)))


def treatment_equality(cells: Counts) -> Floats:
    """TE = τ_d − τₐ, where τ = false negatives / false positives (Berk et al. 2018).

    >>> float(treatment_equality(np.array([[[5, 2], [1, 5]], [[5, 0], [1, 5]]])))
    inf
    """
    return 0.0 - _gap(cells, ratio(cells[..., 1, 0], cells[..., 0, 1]))


def generalised_entropy(cells: Counts) -> Floats:
    """GE = ½ (mean of (b/μ)² − 1), where b = prediction − label + 1 is a row's benefit and μ the mean benefit, over
    all rows whatever their facet (Speicher et al. 2018, with α = 2). NaN where every row is a false negative.

    >>> round(float(generalised_entropy(np.array([[[1, 1], [0, 1]], [[0, 0], [0, 1]]]))), 6)
    0.06
    """
    both = cells.sum(axis=-3)
    twice, once = both[..., 0, 1], both[..., 0, 0] + both[..., 1, 1]
    total, benefit = both.sum(axis=_SIDE), 2.0 * twice + once
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (total * (4.0 * twice + once) / benefit**2 - 1) / 2
    return where_known(found, benefit > 0)


def _gap(cells: Counts, rates: Floats) -> Floats:
    """The rate beside the facet minus that in it."""
    return where_known(difference(rates[..., 0], rates[..., 1]), both_sides(cells, _SIDE))
