"""``driftline baseline`` and ``driftline check``: the analysis on files, without a service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.output import out, paint, verdict

if TYPE_CHECKING:
    from driftline.pipeline import Baseline, RunResult

baseline = typer.Typer(help="Compute statistics and suggest constraints from a file.", no_args_is_help=True)
check = typer.Typer(help="Check captured predictions against constraints.", no_args_is_help=True)

ProblemType = Annotated[str, typer.Option("--problem-type", help="BinaryClassification")]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
SHOWN = ("accuracy", "precision", "recall", "f1", "f2", "auc")


@baseline.callback()
def _baseline() -> None:
    """Compute statistics and suggest constraints from a file."""


@check.callback()
def _check() -> None:
    """Check captured predictions against constraints."""


@baseline.command("model-quality")
def baseline_model_quality(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet with predictions and labels")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for statistics.json and constraints.json")],
    problem_type: ProblemType = "BinaryClassification",
    label: Annotated[str, typer.Option(help="column of the true label")] = "label",
    prediction: Annotated[str | None, typer.Option(help="column of the predicted label")] = None,
    probability: Annotated[str | None, typer.Option(help="column of the score of the positive class")] = None,
    probability_threshold: Annotated[float, typer.Option(help="positive above this, without --prediction")] = 0.5,
    seed: Annotated[int, typer.Option(help="seed of the five 80 % samples")] = 0,
    json: Json = False,
) -> int:
    """Statistics and suggested constraints of a model's quality."""
    from driftline import pipeline
    from driftline.engine.tables import Columns

    out.json = json
    columns = Columns(label=label, prediction=prediction, probability=probability)
    found = pipeline.baseline_model_quality(
        file, columns, problem_type=problem_type, threshold=probability_threshold, seed=seed, now=datetime.now(UTC)
    )
    paths = pipeline.write_baseline(found, output)
    for reject in found.rejects:
        out.say(f"{paint('left out:', 'yellow')} {reject}")
    out.result(_baseline_document(found, paths), _baseline_text(found, paths))
    return 0


@check.command("model-quality")
def check_model_quality(
    captures: Annotated[Path, typer.Option(help="folder of capture files")],
    constraints: Annotated[Path | None, typer.Option(help="constraints.json to check against")] = None,
    labels: Annotated[Path | None, typer.Option(help="folder of ground-truth files")] = None,
    problem_type: ProblemType = "BinaryClassification",
    probability_attribute: Annotated[str | None, typer.Option(help="CSV column or JMESPath of the score")] = None,
    probability_threshold: Annotated[float, typer.Option(help="positive when the score is above this")] = 0.5,
    inference_attribute: Annotated[str | None, typer.Option(help="CSV column or JMESPath of the prediction")] = None,
    start: Annotated[str | None, typer.Option(help="first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="first instant after, ISO 8601 UTC")] = None,
    report: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the report")] = None,
    seed: Annotated[int, typer.Option(help="seed of the five 80 % samples")] = 0,
    json: Json = False,
) -> int:
    """Join captured predictions with labels, measure them, and check them. Exit code 0 OK, 1 violated, 3 no verdict."""
    from driftline import pipeline
    from driftline.core.documents import read_constraints
    from driftline.core.verdict import EXIT_CODES
    from driftline.engine.attributes import OutputAttributes

    out.json = json
    run = pipeline.ModelQualityRun(
        captures=str(captures),
        labels=None if labels is None else str(labels),
        problem_type=problem_type,
        attributes=OutputAttributes(probability_attribute, probability_threshold, inference_attribute),
        constraints=None if constraints is None else read_constraints(read_file(constraints), str(constraints)),
        window=window_of(start, end),
        seed=seed,
        report=None if report is None else str(report),
    )
    result = pipeline.run_model_quality(run)
    for reject in result.rejects:
        out.say(f"{paint('refused:', 'yellow')} {reject}")
    out.result(_check_document(result, report), _check_text(result, report))
    return EXIT_CODES[result.judgement.verdict]


def read_file(path: Path) -> bytes:
    """A file's bytes; an :class:`InputError` that names it where it cannot be read."""
    from driftline.core.errors import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read", evidence=error.strerror or str(error), hint="check the path"
        ) from None


def window_of(start: str | None, end: str | None) -> Any:
    """The window of two optional instants; open ends reach as far as dates do."""
    from driftline.core.window import Window, parse_time

    if start is None and end is None:
        return None
    first = parse_time(start) if start else datetime(1970, 1, 1, tzinfo=UTC)
    return Window(first, parse_time(end) if end else datetime(9999, 12, 31, tzinfo=UTC))


def _baseline_document(found: Baseline, paths: list[Path]) -> dict[str, Any]:
    from driftline.core.documents import constraints_document

    return {
        "item_count": found.item_count,
        "statistics": str(paths[0]),
        "constraints": str(paths[1]),
        "suggested": constraints_document(found.constraints),
        "rejects": found.rejects,
    }


def _baseline_text(found: Baseline, paths: list[Path]) -> list[str]:
    lines = [f"baseline of {found.item_count} rows", *_metric_lines(found.statistics)]
    lines.append(f"suggested {len(found.constraints.constraints)} constraints")
    return lines + [f"  wrote {path}" for path in paths]


def _check_document(result: RunResult, report: Path | None) -> dict[str, Any]:
    return {
        "verdict": result.judgement.verdict,
        "reasons": result.judgement.reasons,
        "item_count": result.item_count,
        "counts": result.counts,
        "metrics": result.metrics,
        "violations": result.violations,
        "rejects": result.rejects,
        "steps": result.steps,
        "report": None if report is None else str(report),
    }


def _check_text(result: RunResult, report: Path | None) -> list[str]:
    counts = result.counts
    lines = [
        f"{verdict(result.judgement.verdict)}  {counts['matched']} of {counts['predictions']} predictions have a label"
    ]
    lines += [f"  {violation.description}" for violation in result.violations]
    for reason in result.judgement.reasons:
        lines += [f"  {reason.message}", *(f"    {question}: {answer}" for question, answer in reason.checklist)]
    if result.item_count:
        lines += _metric_lines(result.statistics)
    return lines + ([f"  report in {report}"] if report is not None else [])


def _metric_lines(statistics: dict[str, Any]) -> list[str]:
    metrics = statistics["binary_classification_metrics"]
    lines = []
    for name in SHOWN:
        metric = metrics.get(name)
        if metric is None:
            continue
        if metric["value"] is None:
            lines.append(f"  {name:<10} undefined: {metric['error']}")
        else:
            interval = metric["confidence_interval"]
            lines.append(
                f"  {name:<10} {metric['value']:.4f}  95 % interval {interval['lower']:.4f}–{interval['upper']:.4f}"
            )
    return lines
