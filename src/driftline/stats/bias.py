"""Every count-based bias metric by its short name: its value of any counts, or why it has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from driftline.stats import bias_errors, bias_outcomes
from driftline.stats.bias_ratios import Counts, Floats

NO_GROUP = "Group variable is empty or not provided"
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


Compute = Callable[[BiasTable], Floats]


def _labels(function: Callable[[Counts], Floats]) -> Compute:
    return lambda table: function(table.labels.sum(axis=-1))


def _predictions(function: Callable[[Counts], Floats]) -> Compute:
    return lambda table: function(table.predictions.sum(axis=-1))


def _errors(function: Callable[[Counts], Floats]) -> Compute:
    return lambda table: function(table.cells)


OF_LABELS: dict[str, Compute] = {
    "CDDL": lambda table: bias_outcomes.conditional_disparity(table.labels),
    "CI": _labels(bias_outcomes.class_imbalance),
    "DPL": _labels(bias_outcomes.proportion_difference),
    "JS": _labels(bias_outcomes.jensen_shannon),
    "KL": _labels(bias_outcomes.kullback_leibler),
    "KS": _labels(bias_outcomes.largest_gap),
    "LP": _labels(bias_outcomes.euclidean_distance),
    "TVD": _labels(bias_outcomes.total_variation),
}
OF_PREDICTIONS: dict[str, Compute] = {
    "CDDPL": lambda table: bias_outcomes.conditional_disparity(table.predictions),
    "DI": _predictions(bias_outcomes.disparate_impact),
    "DPPL": _predictions(bias_outcomes.proportion_difference),
}
OF_BOTH: dict[str, Compute] = {
    "AD": _errors(bias_errors.accuracy_difference),
    "DAR": _errors(bias_errors.acceptance_rates),
    "DCA": _errors(bias_errors.conditional_acceptance),
    "DCR": _errors(bias_errors.conditional_rejection),
    "DRR": _errors(bias_errors.rejection_rates),
    "GE": _errors(bias_errors.generalised_entropy),
    "RD": _errors(bias_errors.recall_difference),
    "SD": _errors(bias_errors.specificity_difference),
    "TE": _errors(bias_errors.treatment_equality),
}
_COMPUTE = OF_LABELS | OF_PREDICTIONS | OF_BOTH
_CONDITIONAL = ("CDDL", "CDDPL")


def undefined(name: str, table: BiasTable) -> str:
    """Why a metric of one table (no leading axes) has no value; asked only where it has none."""
    if name in _CONDITIONAL and (found := _undefined_disparity(name, table)):
        return found
    if name == "GE":
        return "all rows are false negatives" if table.cells.sum() else _nothing("both a label and a prediction")
    if name in OF_LABELS:
        sides, needed = table.labels.sum(axis=(-2, -1)), "a label"
    elif name in OF_PREDICTIONS:
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

    >>> counts = np.zeros((2, 3, 3, 1)); counts[:, :2, :2, 0] = [[[4, 1], [1, 4]], [[2, 1], [0, 2]]]
    >>> round(float(value("DI", BiasTable.of(counts, grouped=False))), 6)
    1.2
    """
    found = _COMPUTE[name](table)
    return found if table.grouped or name not in _CONDITIONAL else np.full_like(found, np.nan)
