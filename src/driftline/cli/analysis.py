"""``driftline baseline`` and ``driftline check``: the analysis on files, without a service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.lists import by_comma
from driftline.cli.output import out, paint, verdict

if TYPE_CHECKING:
    from driftline.pipeline import Baseline, Checked, RunResult

baseline = typer.Typer(help="Compute statistics and suggest constraints from a file.", no_args_is_help=True)
check = typer.Typer(help="Check captured predictions against constraints.", no_args_is_help=True)

ProblemType = Annotated[
    str, typer.Option("--problem-type", help="BinaryClassification, MulticlassClassification or Regression")
]
Label = Annotated[str, typer.Option(help="column of the true label")]
Prediction = Annotated[str | None, typer.Option(help="column of the predicted label or number")]
Probability = Annotated[
    str | None, typer.Option(help="column of the score of the positive class; multiclass: one column a class, by comma")
]
Classes = Annotated[
    str | None, typer.Option(help="multiclass: names of the classes in the order of the probabilities, by comma")
]
Weight = Annotated[str | None, typer.Option(help="column of the rows' weights")]
Threshold = Annotated[float, typer.Option("--probability-threshold", help="positive when the score is above this")]
Seed = Annotated[int, typer.Option(help="seed of the five 80 % samples")]
Sample = Annotated[int, typer.Option("--minimum-sample", min=1, help="fewer judged rows give no verdict")]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
SHOWN = 8


@baseline.callback()
def _baseline() -> None:
    """Compute statistics and suggest constraints from a file."""


@check.callback()
def _check() -> None:
    """Check predictions against constraints."""


@baseline.command("model-quality")
def baseline_model_quality(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet with predictions and labels")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for statistics.json and constraints.json")],
    problem_type: ProblemType = "BinaryClassification",
    label: Label = "label",
    prediction: Prediction = None,
    probability: Probability = None,
    classes: Classes = None,
    weight: Weight = None,
    threshold: Threshold = 0.5,
    tolerance: Annotated[str | None, typer.Option(help="loosen the suggestions: 0.02, 5% or 2ci (intervals)")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> int:
    """Statistics, suggested constraints and a report of a model's quality."""
    from driftline import pipeline
    from driftline.cli.progress import ProgressBar

    out.json = json
    with ProgressBar() as progress:
        found = pipeline.baseline_model_quality(
            file,
            label=label,
            prediction=prediction,
            probability=_scores(probability, problem_type),
            classes=by_comma(classes),
            weight=weight,
            problem_type=problem_type,
            threshold=threshold,
            tolerance=tolerance,
            seed=seed,
            progress=progress,
        )
    paths = found.write(output)
    for reject in found.rejects:
        out.say(f"{paint('left out:', 'yellow')} {reject}")
    out.result(_baseline_document(found, paths), _baseline_text(found, paths))
    return 0


@check.command("model-quality")
def check_model_quality(
    captures: Annotated[Path | None, typer.Option(help="folder of capture files")] = None,
    constraints: Annotated[Path | None, typer.Option(help="constraints.json to check against")] = None,
    labels: Annotated[Path | None, typer.Option(help="folder of ground-truth files")] = None,
    statistics: Annotated[
        Path | None, typer.Option(help="the baseline's statistics.json: also estimate metrics without labels")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="instead of captures: a file with predictions and labels")] = None,
    problem_type: ProblemType = "BinaryClassification",
    probability_attribute: Annotated[
        str | None, typer.Option(help="CSV column or JMESPath of the score; multiclass: the first column, or the list")
    ] = None,
    threshold: Threshold = 0.5,
    inference_attribute: Annotated[str | None, typer.Option(help="CSV column or JMESPath of the prediction")] = None,
    label: Label = "label",
    prediction: Prediction = None,
    probability: Probability = None,
    classes: Classes = None,
    weight: Weight = None,
    start: Annotated[str | None, typer.Option(help="first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="first instant after, ISO 8601 UTC")] = None,
    report: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the report")] = None,
    minimum_sample: Sample = 30,
    seed: Seed = 0,
    json: Json = False,
) -> int:
    """Join captured predictions with labels, measure them, and check them. Exit code 0 OK, 1 violated, 3 no verdict."""
    from driftline import pipeline
    from driftline.cli.progress import ProgressBar
    from driftline.core.documents import read_constraints
    from driftline.core.errors import InputError
    from driftline.core.verdict import EXIT_CODES
    from driftline.engine.attributes import OutputAttributes
    from driftline.pipeline import read_calibration

    out.json = json
    if (captures is None) == (data is None):
        raise InputError(
            "nothing to check, or two things", hint="give --captures DIR (with --labels DIR), or --data FILE"
        )
    wanted = None if constraints is None else read_constraints(read_file(constraints), str(constraints))
    if data is not None:
        if wanted is None:
            raise InputError("a file is checked against constraints", hint="give --constraints FILE")
        checked = pipeline.check_model_quality(
            data,
            wanted,
            label=label,
            prediction=prediction,
            probability=_scores(probability, wanted.problem_type),
            classes=by_comma(classes),
            weight=weight,
            threshold=threshold,
            minimum_sample=minimum_sample,
            seed=seed,
        )
        if report is not None:
            checked.write(report)
        return _tell_checked(checked, report)
    run = pipeline.ModelQualityRun(
        captures=str(captures),
        labels=None if labels is None else str(labels),
        problem_type=problem_type,
        attributes=OutputAttributes(probability_attribute, threshold, inference_attribute, by_comma(classes)),
        constraints=wanted,
        window=window_of(start, end),
        seed=seed,
        report=None if report is None else str(report),
        minimum_sample=minimum_sample,
        calibration=None if statistics is None else read_calibration(read_file(statistics), str(statistics)),
    )
    with ProgressBar() as progress:
        result = pipeline.run_model_quality(run, progress=progress)
    for reject in result.rejects:
        out.say(f"{paint('refused:', 'yellow')} {reject}")
    out.result(_check_document(result, report), _check_text(result, report))
    return EXIT_CODES[result.judgement.verdict]


def _scores(probability: str | None, problem_type: str) -> str | tuple[str, ...] | None:
    """Of a multiclass model the columns may be several; a list column is one."""
    names = by_comma(probability) if problem_type == "MulticlassClassification" else ()
    return names if len(names) > 1 else probability


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


def _tell_checked(checked: Checked, report: Path | None) -> int:
    from driftline.core.verdict import EXIT_CODES

    for reject in checked.rejects:
        out.say(f"{paint('refused:', 'yellow')} {reject}")
    document = {
        "verdict": checked.verdict,
        "reasons": checked.judgement.reasons,
        "item_count": checked.item_count,
        "violations": checked.violations,
        "statistics": checked.statistics,
        "rejects": checked.rejects,
        "report": None if report is None else str(report),
    }
    lines = [f"{verdict(checked.verdict)}  {checked.item_count} rows", *str(checked).splitlines()[1:]]
    out.result(document, lines + (_metric_lines(checked.statistics) if checked.item_count else []))
    return EXIT_CODES[checked.verdict]


def _check_document(result: RunResult, report: Path | None) -> dict[str, Any]:
    return {
        "verdict": result.judgement.verdict,
        "reasons": result.judgement.reasons,
        "item_count": result.item_count,
        "counts": result.counts,
        "metrics": result.metrics,
        "violations": result.violations,
        "estimate": result.estimate,
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
    lines += _estimate_lines(result.estimate)
    return lines + ([f"  report in {report}"] if report is not None else [])


def _metric_lines(statistics: dict[str, Any]) -> list[str]:
    """The metrics with a value, without the twins of constant classifiers, at most so many."""
    family = next(value for key, value in statistics.items() if key.endswith("_metrics"))
    metrics = {
        name: metric
        for name, metric in family.items()
        if isinstance(metric, dict) and "standard_deviation" in metric and not name.endswith("_constant_classifier")
    }
    chosen = [name for name in _FIRST if name in metrics] or list(metrics)
    return [_metric_line(name, metrics[name]) for name in chosen[:SHOWN]]


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
    "mae",
    "rmse",
    "r2",
)
