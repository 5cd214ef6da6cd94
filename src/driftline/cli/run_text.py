"""What a run over captures found, as the command line tells it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.cli.analysis_text import segment_lines
from driftline.cli.output import out, paint, verdict
from driftline.core.verdict import EXIT_CODES

if TYPE_CHECKING:
    from driftline.pipeline import RunResult

MOST_LINES = 20


def tell_run(result: RunResult, report: Path | None) -> int:
    """Print what a run over captures found; the exit code of its verdict."""
    refused(result.rejects)
    document = {
        "verdict": result.judgement.verdict,
        "reasons": result.judgement.reasons,
        "item_count": result.item_count,
        "counts": result.counts,
        "metrics": result.metrics,
        "violations": result.violations,
        "rejects": result.rejects,
        "steps": result.steps,
        "segments": result.statistics.get("segments", []),
        "custom": result.statistics.get("custom", {}),
        "report": None if report is None else str(report),
    }
    counts = f"{result.item_count} rows of {result.counts['capture_records']} captured requests"
    lines = [f"{verdict(result.judgement.verdict)}  {counts}"]
    lines += listed([f"  {violation.line}" for violation in result.violations])
    for reason in result.judgement.reasons:
        lines += [f"  {reason.message}", *(f"    {question}: {answer}" for question, answer in reason.checklist)]
    lines += segment_lines(result.statistics) + custom_lines(result.statistics)
    out.result(document, lines + ([] if report is None else [f"  report in {report}"]))
    return EXIT_CODES[result.judgement.verdict]


def listed(lines: list[str]) -> list[str]:
    """The first of many lines; the report and ``--json`` have all."""
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], f"  … and {more} more (--json, or the report, has all)"]


def custom_lines(statistics: dict[str, Any]) -> list[str]:
    """What custom analyzers found."""
    found = statistics.get("custom", {})
    return [f"  {name}: " + ", ".join(f"{key} {value}" for key, value in one.items()) for name, one in found.items()]


def refused(rejects: Any) -> None:
    """Say which records could not be used."""
    for reject in rejects:
        out.say(f"{paint('refused:', 'yellow')} {reject}")
