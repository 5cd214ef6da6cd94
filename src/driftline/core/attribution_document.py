"""What an attribution analysis found, as it stands in ``analysis.json``: written, and read back from files of ours and
of the original service."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.core.analysis_parts import VERSION, broken, count, finite, interval, keys, mapping, text
from driftline.core.attribution_analysis import (
    AGGREGATIONS,
    Aggregation,
    Attribution,
    AttributionAnalysis,
    LabelAttributions,
)
from driftline.core.json_text import parse_object

EXPLANATIONS, OURS = "explanations", "driftline"
_SHAP = "kernel_shap"


def attribution_document(analysis: AttributionAnalysis) -> dict[str, Any]:
    """The content of ``analysis.json`` in the original's shape.

    The section is called ``kernel_shap`` whatever the method was, because readers of the original look there. Beside
    it ``driftline`` says the method, the aggregation and the rows, and a label has ``confidence_intervals`` by feature.
    """
    labels = {label.label: _label_part(label) for label in analysis.labels}
    ours = {"method": analysis.method, "aggregation": analysis.aggregation, "rows": analysis.rows}
    return {"version": VERSION, EXPLANATIONS: {_SHAP: labels, OURS: ours}}


def _label_part(label: LabelAttributions) -> dict[str, Any]:
    document: dict[str, Any] = {
        "global_shap_values": {one.feature: one.value for one in label.features},
        "expected_value": label.expected_value,
    }
    intervals = {
        one.feature: msgspec.to_builtins(one.confidence_interval) for one in label.features if one.confidence_interval
    }
    return document | ({"confidence_intervals": intervals} if intervals else {})


def read_attribution(data: bytes, source: str) -> AttributionAnalysis:
    """The attributions of an ``analysis.json`` (or a ``constraints.json``, which is one).

    A file of the original does not say how it was made: it counts as ``mean_abs`` by ``kernel_shap`` over 0 rows.
    ``source`` names the file in messages. Raises :class:`InputError` with the label, the feature and the reason for a
    file that cannot be used.
    """
    document = parse_object(data, source)
    if EXPLANATIONS not in document:
        raise broken(f"{source} holds no attributions", keys(document))
    explanations = mapping(document[EXPLANATIONS], f"{source}: {EXPLANATIONS}")
    if _SHAP not in explanations:
        raise broken(f"{source}: {EXPLANATIONS} has no {_SHAP}", keys(explanations))
    shap = mapping(explanations[_SHAP], f"{source}: {_SHAP}")
    if not shap:
        raise broken(f"{source}: {_SHAP} has no label")
    labels = tuple(_label(name, part, f"{source}: {_SHAP}.{name}") for name, part in shap.items())
    ours = mapping(explanations.get(OURS, {}), f"{source}: {EXPLANATIONS}.{OURS}")
    return AttributionAnalysis(labels, *_made(ours, f"{source}: {EXPLANATIONS}.{OURS}"))


def _label(name: str, node: Any, where: str) -> LabelAttributions:
    part = mapping(node, where)
    for key in ("global_shap_values", "expected_value"):
        if key not in part:
            raise broken(f"{where} has no {key}", keys(part))
    values = mapping(part["global_shap_values"], f"{where}: global_shap_values")
    intervals = mapping(part.get("confidence_intervals", {}), f"{where}: confidence_intervals")
    features = tuple(
        Attribution(
            feature,
            finite(value, f"{where}: {feature}"),
            interval(intervals.get(feature), f"{where}: the interval of {feature}"),
        )
        for feature, value in values.items()
    )
    return LabelAttributions(name, features, finite(part["expected_value"], f"{where}: expected_value"))


def _made(ours: dict[str, Any], where: str) -> tuple[Aggregation, str, int]:
    aggregation = text(ours.get("aggregation", "mean_abs"), f"{where}: aggregation")
    if aggregation not in AGGREGATIONS:
        raise broken(f"{where}: {aggregation!r} is no aggregation", f"known are {', '.join(AGGREGATIONS)}")
    method = text(ours.get("method", _SHAP), f"{where}: method")
    return aggregation, method, count(ours.get("rows", 0), f"{where}: rows")
