"""What ``driftline baseline`` and ``driftline check`` print: the document for ``--json``, and the lines for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.cli.output import table, verdict

if TYPE_CHECKING:
    from driftline.pipeline import Baseline, RunResult

SHOWN = 8


def baseline_document(found: Baseline, paths: list[Path]) -> dict[str, Any]:
    """A baseline's result."""
    from driftline.core.documents import constraints_document

    return {
        "item_count": found.item_count,
        "statistics": str(paths[0]),
        "constraints": str(paths[1]),
        "suggested": constraints_document(found.constraints),
        "rejects": found.rejects,
    }


def baseline_text(found: Baseline, paths: list[Path]) -> list[str]:
    """The same as lines."""
    lines = [f"baseline of {found.item_count} rows", *metric_lines(found.statistics)]
    lines.append(f"suggested {len(found.constraints.constraints)} constraints")
    return lines + [f"  wrote {path}" for path in paths]


def _estimate_lines(estimate: dict[str, Any] | None) -> list[str]:
    """An estimate is never shown like a measurement."""
    if estimate is None:
        return []
    if estimate["conditions"]:
        return ["  no estimate without labels:", *(f"    {item['message']}" for item in estimate["conditions"])]
    lines = [f"  estimated without labels from {estimate['rows']} predictions (no measurement):"]
    for name in _FIRST:
        metric = estimate["metrics"].get(name)
        if metric is not None and metric["value"] is not None:
            within = (estimate.get("within") or {}).get(name)
            told = "" if within is None else ("  the truth is within" if within else "  the truth is outside")
            lines.append(f"    {name:<16} {metric['value']:.4f}  {metric['lower']:.4f}–{metric['upper']:.4f}{told}")
    return lines


def check_document(result: RunResult, report: Path | None) -> dict[str, Any]:
    """The result of a run over captures."""
    return {
        "verdict": result.judgement.verdict,
        "reasons": result.judgement.reasons,
        "item_count": result.item_count,
        "counts": result.counts,
        "metrics": result.metrics,
        "violations": result.violations,
        "estimate": result.estimate,
        "segments": result.statistics.get("segments", []),
        "rejects": result.rejects,
        "steps": result.steps,
        "report": None if report is None else str(report),
    }


def check_text(result: RunResult, report: Path | None) -> list[str]:
    """The same as lines."""
    counts = result.counts
    lines = [
        f"{verdict(result.judgement.verdict)}  {counts['matched']} of {counts['predictions']} predictions have a label"
    ]
    lines += [f"  {violation.description}" for violation in result.violations]
    for reason in result.judgement.reasons:
        lines += [f"  {reason.message}", *(f"    {question}: {answer}" for question, answer in reason.checklist)]
    if result.item_count:
        lines += metric_lines(result.statistics)
    lines += _estimate_lines(result.estimate) + segment_lines(result.statistics)
    return lines + ([f"  report in {report}"] if report is not None else [])


def metric_lines(statistics: dict[str, Any]) -> list[str]:
    """The metrics with a value, without the twins of constant classifiers, at most so many."""
    family = next(value for key, value in statistics.items() if key.endswith("_metrics"))
    metrics = {
        name: metric
        for name, metric in family.items()
        if isinstance(metric, dict) and "standard_deviation" in metric and not name.endswith("_constant_classifier")
    }
    chosen = [name for name in _FIRST if name in metrics] or list(metrics)
    return [_metric_line(name, metrics[name]) for name in chosen[:SHOWN]]


def segment_lines(statistics: dict[str, Any]) -> list[str]:
    """The worst segments, those that are worse beyond chance marked."""
    ranks = statistics.get("segments", [])
    rows = []
    for rank in ranks[:SHOWN]:
        reach = f"{rank['lower']:.4f}–{rank['upper']:.4f}" if rank.get("lower") is not None else ""
        value = "undefined" if rank.get("value") is None else f"{rank['value']:.4f}"
        name = f"{rank['column']} {rank['segment']}"
        rows.append((name, rank["metric"], value, reach, rank["rows"], "worse" if rank.get("apart") else ""))
    return table(rows, ("segment", "metric", "value", "95 % interval", "rows", "than all")) if rows else []


def _metric_line(name: str, metric: dict[str, Any]) -> str:
    if metric["value"] is None:
        return f"  {name:<18} undefined: {metric['error']}"
    interval = metric.get("confidence_interval")
    reach = f"  95 % interval {interval['lower']:.4f}–{interval['upper']:.4f}" if interval else ""
    return f"  {name:<18} {metric['value']:.4f}{reach}"


_FIRST = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "f2",
    "auc",
    "weighted_precision",
    "weighted_f1",
    "roc_auc_ovr",
    "log_loss",
    "top_2_accuracy",
    "mae",
    "rmse",
    "r2",
)
