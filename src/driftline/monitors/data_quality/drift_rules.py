"""How each feature is compared with its baseline, by the constraints of the table and the overrides of the feature."""

from __future__ import annotations

from typing import NamedTuple, get_args

from driftline.core.table_constraints import (
    CategoricalMethod,
    DataQualityConstraints,
    FeatureConstraints,
    FeatureOverride,
    NumericMethod,
)

NUMERIC: tuple[str, ...] = get_args(NumericMethod)
CATEGORICAL: tuple[str, ...] = get_args(CategoricalMethod)
P_VALUES = ("KolmogorovSmirnov", "ChiSquared")


class Rule(NamedTuple):
    """Method and threshold for numbers and for categories, and how many values a comparison needs.

    ``robust`` takes from LInfinity what chance makes. A method of ``P_VALUES`` gives a p-value, which must not be below
    its threshold; all others a distance, which must not be above it.
    """

    numeric_method: str
    numeric_threshold: float
    categorical_method: str
    categorical_threshold: float
    robust: bool = False
    minimum_sample: int = 1


def table_rule(constraints: DataQualityConstraints) -> Rule:
    """The rule of features without an override."""
    ours, theirs = constraints.drift, constraints.distribution
    if ours is not None:
        return Rule(
            ours.numeric_method,
            ours.numeric_threshold,
            ours.categorical_method,
            ours.categorical_threshold,
            minimum_sample=ours.minimum_sample,
        )
    return Rule(
        theirs.comparison_method,
        theirs.comparison_threshold,
        theirs.categorical_drift_method,
        theirs.categorical_comparison_threshold,
        robust=theirs.comparison_method == "Robust",
    )


def feature_rule(feature: FeatureConstraints, constraints: DataQualityConstraints) -> Rule | None:
    """The rule of one feature; None where it is not to be compared."""
    override = feature.override or FeatureOverride()
    if (override.perform_comparison or constraints.distribution.perform_comparison) == "Disabled":
        return None
    rule = table_rule(constraints)
    if (threshold := override.comparison_threshold) is not None:
        rule = rule._replace(numeric_threshold=threshold, categorical_threshold=threshold)
    return _with_method(rule, override.comparison_method)


def _with_method(rule: Rule, method: str | None) -> Rule:
    """The original's two methods are about both kinds of features: of categories they say how LInfinity is taken."""
    if method is None:
        return rule
    if method in {"Simple", "Robust"}:
        return rule._replace(numeric_method=method, categorical_method="LInfinity", robust=method == "Robust")
    return rule._replace(numeric_method=method, categorical_method=method)
