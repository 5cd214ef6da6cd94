"""Analyses of bias and attribution: their configuration as it is read, and what they found as lines for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from driftline.cli.analysis import read_file
from driftline.cli.output import out, paint, table
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.bias_analysis import BiasAnalysis

if TYPE_CHECKING:
    from driftline.core.analysis_config import AnalysisConfig


def read_config(path: Path | None) -> AnalysisConfig | None:
    """A configuration of an analysis, the original's or ours; what of it has no effect is said."""
    from driftline.core.analysis_config import read_analysis_config

    if path is None:
        return None
    found = read_analysis_config(read_file(path), str(path))
    for key, reason in found.ignored:
        out.say(f"{paint('ignored:', 'yellow')} {key} of {path}: {reason}")
    return found


def bias_lines(found: BiasAnalysis) -> list[str]:
    """Every metric by stage, facet and value."""
    rows = [
        (one.stage, one.facet, one.value_or_threshold, metric.name, _number(metric.value), metric.error or "")
        for one in found.facets
        for metric in one.metrics
    ]
    head = f"bias, label {found.label} {found.label_value_or_threshold}"
    return [head, *table(rows, ("stage", "facet", "value", "metric", "is", "why it has no value"))]


def attribution_lines(found: AttributionAnalysis) -> list[str]:
    """Every feature of every label, the heaviest first."""
    rows = [
        (label.label, str(rank), one.feature, _number(one.value))
        for label in found.labels
        for rank, one in enumerate(sorted(label.features, key=lambda one: -abs(one.value)), 1)
    ]
    return [f"attribution, {found.aggregation} by {found.method}", *table(rows, ("label", "rank", "feature", "weighs"))]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
