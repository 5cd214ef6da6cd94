"""Baselines and checks of attributions as lines for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.cli.output import table

if TYPE_CHECKING:
    from driftline.core.attribution_analysis import AttributionAnalysis
    from driftline.pipeline.attribution_tables import AttributionBaseline

SHOWN = 12


def ranking_lines(drift: dict[str, Any]) -> list[str]:
    """The NDCG of an output with its interval, and the features that explain it."""
    if drift["ndcg"] is None:
        return []
    found, interval = f"  {drift['label']}: NDCG {drift['ndcg']:.4f}", drift["confidence_interval"]
    if interval is not None:
        found += f" ({interval['lower']:.4f} to {interval['upper']:.4f})"
    changes = drift["changes"]
    rows = [
        (
            one["feature"],
            f"{one['baseline_place']} → {one['live_place']}",
            f"{one['baseline_share']:.1%} → {one['live_share']:.1%}",
            f"{one['loss']:+.4f}",
        )
        for one in changes[:SHOWN]
    ]
    lines = [found, *(f"  {line}" for line in table(rows, ("feature", "place", "share", "takes")))]
    return lines if len(changes) <= SHOWN else [*lines, f"  … and {len(changes) - SHOWN} more (--json has all)"]


def baseline_lines(found: AttributionBaseline, paths: list[Path]) -> list[str]:
    """The heaviest features of every output with their intervals, and what was written."""
    analysis = found.analysis
    lines = [f"baseline of {count(analysis, found.rows)}, {analysis.aggregation} by {analysis.method}"]
    for label in analysis.labels:
        ranked = sorted(label.features, key=lambda one: -one.value)
        rows = [
            (one.feature, f"{one.value:.6g}", f"{interval.lower:.4g} to {interval.upper:.4g}" if interval else "–")
            for one in ranked[:SHOWN]
            for interval in [one.confidence_interval]
        ]
        lines += [
            f"{label.label} (expected {label.expected_value:.6g})",
            *table(rows, ("feature", "weighs", "interval")),
        ]
        if len(ranked) > SHOWN:
            lines.append(f"  … and {len(ranked) - SHOWN} more")
    return lines + [f"  wrote {path}" for path in paths]


def count(analysis: AttributionAnalysis, rows: int) -> str:
    """How many rows were explained, of how many."""
    every = f"{analysis.rows} rows"
    return every if analysis.rows == rows else f"{every} explained of {rows}"
