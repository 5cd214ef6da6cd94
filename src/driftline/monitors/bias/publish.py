"""What a bias run says to the metric store, by the names and dimensions that the original service publishes."""

from __future__ import annotations

import math

from driftline.core.bias_analysis import BiasAnalysis, Stage
from driftline.core.documents import INFINITE
from driftline.monitors.bias.checks import matched
from driftline.resources.metrics import Dimensioned

METRIC = "bias_metric_"
STAGES: dict[Stage, str] = {"pre_training": "Pre-training", "post_training": "Post-Training"}


def published(current: BiasAnalysis, baseline: BiasAnalysis | None = None) -> tuple[Dimensioned, ...]:
    """Every metric that has a value, with its dimensions.

    A facet's interval is called as in the baseline, where it is there: it ends at the largest number seen, so that its
    own name would begin a new series in every window.
    """
    pairs = () if baseline is None else matched(current, baseline)
    names = {(now.stage, now.facet, now.value_or_threshold): old.value_or_threshold for now, old in pairs if now}
    return tuple(
        Dimensioned(
            METRIC + metric.name,
            {
                "BiasStage": STAGES[facet.stage],
                "Label": current.label,
                "LabelValue": current.label_value_or_threshold,
                "Facet": facet.facet,
                "FacetValue": names.get((facet.stage, facet.facet, facet.value_or_threshold), facet.value_or_threshold),
            },
            _finite(metric.value),
        )
        for facet in current.facets
        for metric in facet.metrics
        if metric.value is not None
    )


def _finite(value: float) -> float:
    return math.copysign(INFINITE, value) if math.isinf(value) else value
