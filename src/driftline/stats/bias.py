"""Every count-based bias metric by its short name: what it is called, what is fair, and its value of any counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

from driftline.stats import bias_errors, bias_outcomes
from driftline.stats.bias_ratios import Counts, Floats

NO_GROUP = "Group variable is empty or not provided"
FLIP_TEST = "FT"
MISSING = 2
"""The place of rows without a label, or without a prediction, behind the negative and the positive ones."""


class BiasTable(NamedTuple):
    """Counts of rows; rows beside the facet before those in it, negative before positive.

    ``labels`` and ``predictions`` are ``[..., facet, outcome, group]`` of the rows that have one, ``cells`` is
    ``[..., facet, label, predicted]`` of those that have both. Leading axes are of any shape.
    """

    labels: Counts
    predictions: Counts
    cells: Counts
    grouped: bool

    @classmethod
    def of(cls, counts: Counts, *, grouped: bool) -> Self:
        """From counts ``[..., facet, label, predicted, group]``, where label and predicted have a third place for rows
        that have none. ``grouped`` is False where no group variable is given; all rows are then in one group."""
        return cls(
            counts[..., :MISSING, :, :].sum(axis=-2),
            counts[..., :MISSING, :].sum(axis=-3),
            counts[..., :MISSING, :MISSING, :].sum(axis=-1),
            grouped,
        )


class Known(NamedTuple):
    """What is known of a metric: what it is called, its fair value, and how it is computed from counts."""

    description: str
    fair: float
    compute: Callable[[BiasTable], Floats]


def _labels(function: Callable[[Counts], Floats]) -> Callable[[BiasTable], Floats]:
    return lambda table: function(table.labels.sum(axis=-1))


def _predictions(function: Callable[[Counts], Floats]) -> Callable[[BiasTable], Floats]:
    return lambda table: function(table.predictions.sum(axis=-1))


def _errors(function: Callable[[Counts], Floats]) -> Callable[[BiasTable], Floats]:
    return lambda table: function(table.cells)


PRE_TRAINING: dict[str, Known] = {
    "CDDL": Known(
        "Conditional Demographic Disparity in Labels (CDDL)",
        0.0,
        lambda table: bias_outcomes.conditional_disparity(table.labels),
    ),
    "CI": Known("Class Imbalance (CI)", 0.0, _labels(bias_outcomes.class_imbalance)),
    "DPL": Known(
        "Difference in Positive Proportions in Labels (DPL)", 0.0, _labels(bias_outcomes.proportion_difference)
    ),
    "JS": Known("Jensen-Shannon Divergence (JS)", 0.0, _labels(bias_outcomes.jensen_shannon)),
    "KL": Known("Kullback-Liebler Divergence (KL)", 0.0, _labels(bias_outcomes.kullback_leibler)),
    "KS": Known("Kolmogorov-Smirnov Distance (KS)", 0.0, _labels(bias_outcomes.largest_gap)),
    "LP": Known("L-p Norm (LP)", 0.0, _labels(bias_outcomes.euclidean_distance)),
    "TVD": Known("Total Variation Distance (TVD)", 0.0, _labels(bias_outcomes.total_variation)),
}
POST_TRAINING: dict[str, Known] = {
    "AD": Known("Accuracy Difference (AD)", 0.0, _errors(bias_errors.accuracy_difference)),
    "CDDPL": Known(
        "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        0.0,
        lambda table: bias_outcomes.conditional_disparity(table.predictions),
    ),
    "DAR": Known("Difference in Acceptance Rates (DAR)", 0.0, _errors(bias_errors.acceptance_rates)),
    "DCA": Known("Difference in Conditional Acceptance (DCA)", 0.0, _errors(bias_errors.conditional_acceptance)),
    "DCR": Known("Difference in Conditional Rejection (DCR)", 0.0, _errors(bias_errors.conditional_rejection)),
    "DI": Known("Disparate Impact (DI)", 1.0, _predictions(bias_outcomes.disparate_impact)),
    "DPPL": Known(
        "Difference in Positive Proportions in Predicted Labels (DPPL)",
        0.0,
        _predictions(bias_outcomes.proportion_difference),
    ),
    "DRR": Known("Difference in Rejection Rates (DRR)", 0.0, _errors(bias_errors.rejection_rates)),
    "GE": Known("Generalized Entropy (GE)", 0.0, _errors(bias_errors.generalised_entropy)),
    "RD": Known("Recall Difference (RD)", 0.0, _errors(bias_errors.recall_difference)),
    "SD": Known("Specificity Difference (SD)", 0.0, _errors(bias_errors.specificity_difference)),
    "TE": Known("Treatment Equality (TE)", 0.0, _errors(bias_errors.treatment_equality)),
}
FLIP_DESCRIPTION = "Flip Test (FT)"
COUNT_METRICS = PRE_TRAINING | POST_TRAINING
FAIR: dict[str, float] = {name: known.fair for name, known in COUNT_METRICS.items()} | {FLIP_TEST: 0.0}
"""The fair value of every metric: 0, and 1 for disparate impact."""


def undefined(name: str, table: BiasTable) -> str:
    """Why a metric of one table (no leading axes) has no value; asked only where it has none."""
    if name in ("CDDL", "CDDPL") and (found := _undefined_disparity(name, table)):
        return found
    if name == "GE":
        return "all rows are false negatives" if table.cells.sum() else _nothing("both a label and a prediction")
    if name in PRE_TRAINING:
        sides, needed = table.labels.sum(axis=(-2, -1)), "a label"
    elif name in ("CDDPL", "DI", "DPPL"):
        sides, needed = table.predictions.sum(axis=(-2, -1)), "a prediction"
    else:
        sides, needed = table.cells.sum(axis=(-2, -1)), "both a label and a prediction"
    if not sides.sum():
        return _nothing(needed)
    return f"no row with {needed} is in the facet" if not sides[1] else f"every row with {needed} is in the facet"


def _undefined_disparity(name: str, table: BiasTable) -> str:
    if not table.grouped:
        return NO_GROUP
    counts, kind = (table.labels, "label") if name == "CDDL" else (table.predictions, "prediction")
    negative, positive = counts.sum(axis=(-3, -1))
    if not negative + positive or (negative and positive):
        return ""
    return f"no {kind} is {'positive' if not positive else 'negative'}"


def _nothing(needed: str) -> str:
    return f"no row has {needed}"


def value(name: str, table: BiasTable) -> Floats:
    """A metric of every table; NaN where it is undefined.

    >>> import numpy as np
    >>> counts = np.zeros((2, 3, 3, 1)); counts[:, :2, :2, 0] = [[[4, 1], [1, 4]], [[2, 1], [0, 2]]]
    >>> round(float(value("DI", BiasTable.of(counts, grouped=False))), 6)
    1.2
    """
    found = COUNT_METRICS[name].compute(table)
    if not table.grouped and name in ("CDDL", "CDDPL"):
        return found * float("nan")
    return found
