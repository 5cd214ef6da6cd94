"""What an attribution run says to the metric store, by the names and dimensions that the original service publishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.monitors.attribution.drift import RankingDrift
from driftline.resources.metrics import Dimensioned

FEATURE, EXPECTED, NDCG = "feature_", "ExpectedValue", "ndcg"
"""What metrics are called: the attribution of a feature, before its name; the expected value; and, of our own, the
likeness of the ranking with the baseline's."""


def published(analysis: AttributionAnalysis, drifts: Sequence[RankingDrift] = ()) -> tuple[Dimensioned, ...]:
    """Every metric. The dimension ExplainabilityMethod is ``KernelShap`` whatever the method was, because alarms and
    dashboards made for the original look for it."""
    return (*_attributions(analysis), *(_ranking(one) for one in drifts))


def _attributions(analysis: AttributionAnalysis) -> Iterator[Dimensioned]:
    for label in analysis.labels:
        values, expected = (_dimensions(label.label, kind) for kind in ("GlobalShapValues", "ExpectedValue"))
        yield from (Dimensioned(FEATURE + one.feature, values, one.value) for one in label.features)
        yield Dimensioned(EXPECTED, expected, label.expected_value)


def _ranking(one: RankingDrift) -> Dimensioned:
    return Dimensioned(NDCG, {"ExplainabilityMethod": "KernelShap", "Label": one.label}, one.ndcg)


def _dimensions(label: str, kind: str) -> dict[str, str]:
    return {"ExplainabilityMethod": "KernelShap", "Label": label, "ValueType": kind}
