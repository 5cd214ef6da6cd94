"""What a table is held against: the content of a data-quality ``constraints.json``."""

from __future__ import annotations

from typing import Literal

import msgspec

from driftline.core.table_statistics import InferredType

Switch = Literal["Enabled", "Disabled"]
NumericMethod = Literal["Simple", "Robust", "Wasserstein", "PSI", "JensenShannon", "KolmogorovSmirnov"]
CategoricalMethod = Literal["LInfinity", "ChiSquared", "PSI", "JensenShannon"]


class DistributionConstraints(msgspec.Struct, frozen=True):
    """The original service's comparison of distributions: distances beyond thresholds."""

    perform_comparison: Switch = "Enabled"
    comparison_threshold: float = 0.1
    comparison_method: Literal["Robust", "Simple"] = "Robust"
    categorical_comparison_threshold: float = 0.1
    categorical_drift_method: Literal["LInfinity", "ChiSquared"] = "LInfinity"


class DriftRules(msgspec.Struct, frozen=True):
    """Our comparison of distributions: a distance beyond a threshold that is also beyond chance.

    A feature has drifted when its distance by the method exceeds the threshold and, unless ``false_discovery_rate`` is
    None, its p-value is significant after Benjamini–Hochberg over all compared features. Features with fewer than
    ``minimum_sample`` values in the window are not compared. The table has drifted when more than
    ``largest_drifted_share`` of the compared features have.
    """

    numeric_method: NumericMethod = "Wasserstein"
    numeric_threshold: float = 0.1
    categorical_method: CategoricalMethod = "JensenShannon"
    categorical_threshold: float = 0.05
    false_discovery_rate: float | None = 0.01
    minimum_sample: int = 30
    largest_drifted_share: float | None = None


class FeatureOverride(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one feature does otherwise; None: as the table."""

    datatype_check_threshold: float | None = None
    domain_content_threshold: float | None = None
    perform_comparison: Switch | None = None
    comparison_threshold: float | None = None
    comparison_method: str | None = None  # any NumericMethod or CategoricalMethod
    sensitive: bool | None = None
    evaluate_constraints: Switch | None = None
    emit_metrics: Switch | None = None


class FeatureConstraints(msgspec.Struct, frozen=True):
    """What is expected of one column. ``completeness`` is the least share of present values. ``domain`` are the allowed
    texts. ``suggestion`` explains each suggested rule by its name."""

    name: str
    inferred_type: InferredType
    completeness: float | None = None
    is_non_negative: bool | None = None
    domain: tuple[str, ...] | None = None
    override: FeatureOverride | None = None
    suggestion: dict[str, str] = {}


class DataQualityConstraints(msgspec.Struct, frozen=True):
    """A table's constraints."""

    features: tuple[FeatureConstraints, ...]
    evaluate_constraints: Switch = "Enabled"
    emit_metrics: Switch = "Enabled"
    datatype_check_threshold: float = 1.0
    domain_content_threshold: float = 1.0
    exact_types: bool = False
    distribution: DistributionConstraints = DistributionConstraints()
    drift: DriftRules | None = None
