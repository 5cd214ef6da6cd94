"""What an attribution analysis found: how much each feature weighs, and what of it stands in ``analysis.json``."""

from __future__ import annotations

from typing import Literal

import msgspec

from driftline.core.documents import Interval

Aggregation = Literal["mean_abs", "median", "mean_sq"]
AGGREGATIONS: tuple[Aggregation, ...] = ("mean_abs", "median", "mean_sq")


class Attribution(msgspec.Struct, frozen=True, omit_defaults=True):
    """The global attribution of one feature, with its interval where there is one."""

    feature: str
    value: float
    confidence_interval: Interval | None = None


class LabelAttributions(msgspec.Struct, frozen=True):
    """The attributions of one output: of a class, or of the one score (``label0``)."""

    label: str
    features: tuple[Attribution, ...]
    expected_value: float


class AttributionAnalysis(msgspec.Struct, frozen=True):
    """The attributions of every output, how they were aggregated over ``rows`` rows, and by which method
    (``tree_shap``, ``linear_shap``, ``kernel_shap``, ``permutation_shap``)."""

    labels: tuple[LabelAttributions, ...]
    aggregation: Aggregation = "mean_abs"
    method: str = "kernel_shap"
    rows: int = 0
