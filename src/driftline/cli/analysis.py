"""``driftline baseline`` and ``driftline check``: the analysis on files, without a service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.analysis_text import (
    baseline_document,
    baseline_text,
    check_document,
    check_text,
    metric_lines,
    segment_lines,
)
from driftline.cli.options import Classes, ProbabilityAttribute, by_comma
from driftline.cli.output import out, paint, verdict
from driftline.cli.run_text import refused

if TYPE_CHECKING:
    from driftline.pipeline import Checked

baseline = typer.Typer(help="Compute statistics and suggest constraints from a file.", no_args_is_help=True)
check = typer.Typer(help="Check captured predictions against constraints.", no_args_is_help=True)

ProblemType = Annotated[
    str, typer.Option("--problem-type", help="BinaryClassification, MulticlassClassification or Regression")
]
Label = Annotated[str, typer.Option(help="column of the true label")]
Prediction = Annotated[str | None, typer.Option(help="column of the predicted label or number")]
Probability = Annotated[
    list[str] | None,
    typer.Option(
        help="column of the score of the positive class; several classes: one column a class, by comma or one option"
        " each, or one column of lists"
    ),
]
Weight = Annotated[str | None, typer.Option(help="column of the rows' weights")]
Threshold = Annotated[float, typer.Option("--probability-threshold", help="positive when the score is above this")]
Seed = Annotated[int, typer.Option(help="seed of the five 80 % samples")]
Sample = Annotated[int, typer.Option("--minimum-sample", min=1, help="fewer judged rows give no verdict")]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


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
    out.result(baseline_document(found, paths), baseline_text(found, paths))
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
    probability_attribute: ProbabilityAttribute = None,
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
    segments: Annotated[
        list[str] | None, typer.Option("--segment", help="rank the segments of a column: plan, or bins as age:18,30,50")
    ] = None,
    segment_metric: Annotated[str | None, typer.Option(help="what segments are ranked by")] = None,
    names: Annotated[
        list[str] | None, typer.Option(help="names of the captured columns, outputs first, for --segment; by comma")
    ] = None,
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
            segments=segments or (),
            segment_metric=segment_metric,
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
        segments=tuple(segments or ()),
        segment_metric=segment_metric,
        names=by_comma(names),
    )
    with ProgressBar() as progress:
        result = pipeline.run_model_quality(run, progress=progress)
    refused(result.rejects)
    out.result(check_document(result, report), check_text(result, report))
    return EXIT_CODES[result.judgement.verdict]


def _scores(probability: list[str] | None, problem_type: str) -> str | tuple[str, ...] | None:
    """A column of scores or of lists by its name; several columns as a tuple. Only those of several classes may be
    written with commas, as a column's name may hold one."""
    names = by_comma(probability) if problem_type == "MulticlassClassification" else tuple(probability or ())
    return names if len(names) > 1 else next(iter(names), None)


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


def _tell_checked(checked: Checked, report: Path | None) -> int:
    from driftline.core.verdict import EXIT_CODES

    refused(checked.rejects)
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
    lines += metric_lines(checked.statistics) if checked.item_count else []
    out.result(document, lines + segment_lines(checked.statistics))
    return EXIT_CODES[checked.verdict]
