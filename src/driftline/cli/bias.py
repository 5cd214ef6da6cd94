"""``driftline baseline bias`` and ``driftline check bias``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from driftline.cli.analyses import bias_lines, read_config
from driftline.cli.analysis import Json, Sample, baseline, check, read_file, window_of
from driftline.cli.data_quality import Exclude, Header
from driftline.cli.options import ProbabilityAttribute, by_comma
from driftline.cli.output import out, paint, verdict
from driftline.cli.run_text import listed, refused, tell_run
from driftline.core.verdict import EXIT_CODES

if TYPE_CHECKING:
    from driftline.core.analysis_config import AnalysisConfig
    from driftline.pipeline import BiasRun
    from driftline.pipeline.bias_tables import BiasBaseline, BiasChecked

CONFIG = "analysis_config.json"
Label = Annotated[str | None, typer.Option(help="column of the true label")]
Positive = Annotated[
    str | None, typer.Option(help="which labels are positive: 1, a list as yes,maybe, or numbers as >0.5")
]
Facet = Annotated[
    list[str] | None,
    typer.Option(help="plan=gold,tin; age>=50; or sex for each value in turn; repeatable"),
]
Predicted = Annotated[str | None, typer.Option(help="column of the predicted label")]
Probability = Annotated[str | None, typer.Option(help="instead: column of the score of the positive class")]
Threshold = Annotated[float, typer.Option("--threshold", help="a score above it is a positive prediction")]
Group = Annotated[str | None, typer.Option(help="column within whose values CDDL and CDDPL compare")]
Config = Annotated[Path | None, typer.Option(help="instead of these: analysis_config.json, the original's or ours")]
Seed = Annotated[int, typer.Option(min=0, help="seed of the intervals")]


@baseline.command("bias")
def baseline_bias(
    data: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet: a file or a folder, or a manifest")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for analysis.json and the report")],
    label: Label = None,
    positive: Positive = None,
    facet: Facet = None,
    predicted: Predicted = None,
    probability: Probability = None,
    threshold: Threshold = 0.5,
    group: Group = None,
    config: Config = None,
    header: Header = None,
    exclude: Exclude = None,
    seed: Seed = 0,
    json: Json = False,
) -> int:
    """How differently facets come off, in labels and in predictions: every bias metric, and a report."""
    from driftline.cli.progress import ProgressBar
    from driftline.pipeline import bias_tables

    out.json = json
    with ProgressBar() as progress:
        found = bias_tables.baseline_bias(
            data,
            label=label,
            positive=positive,
            facets=facet or (),
            predicted=predicted,
            probability=probability,
            threshold=threshold,
            group=group,
            config=read_config(config),
            header=header,
            exclude=by_comma(exclude),
            seed=seed,
            progress=progress,
        )
    paths = found.write(output)
    _told(found)
    document = {
        "item_count": found.item_count,
        "analysis": str(paths[0]),
        "config": str(paths[1]),
        "facets": len(found.analysis.facets),
        "notes": found.notes,
        "rejects": found.rejects,
    }
    lines = [f"baseline of {found.item_count} rows", *listed(bias_lines(found.analysis))]
    out.result(document, lines + [f"  wrote {path}" for path in paths])
    return 0


@check.command("bias")
def check_bias(
    analysis: Annotated[Path, typer.Option(help="the baseline's analysis.json, or its folder")],
    data: Annotated[Path | None, typer.Option(help="a file or folder of CSV, JSON lines or Parquet")] = None,
    captures: Annotated[Path | None, typer.Option(help="instead: folder of capture files")] = None,
    labels: Annotated[Path | None, typer.Option(help="of captures: folder of ground-truth files")] = None,
    probability_attribute: ProbabilityAttribute = None,
    inference_attribute: Annotated[
        str | None, typer.Option(help="of captures: CSV column or JMESPath of the prediction")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option(help="of captures: names of the columns, outputs first; by comma or one each")
    ] = None,
    start: Annotated[str | None, typer.Option(help="of captures: first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="of captures: first instant after, ISO 8601 UTC")] = None,
    label: Label = None,
    positive: Positive = None,
    facet: Facet = None,
    predicted: Predicted = None,
    probability: Probability = None,
    threshold: Threshold = 0.5,
    group: Group = None,
    config: Config = None,
    header: Header = None,
    exclude: Exclude = None,
    rule: Annotated[
        str, typer.Option(help="interval: the whole interval must be beyond the baseline; plain: the value is enough")
    ] = "interval",
    seed: Seed = 0,
    report: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the report")] = None,
    minimum_sample: Sample = 30,
    json: Json = False,
) -> int:
    """Measure bias and hold it against a baseline. Exit code 0 OK, 1 violated, 3 no verdict.

    Without columns and configuration the baseline's own configuration beside its analysis.json is used. Captures are
    joined with labels; facets and group are among their columns.
    """
    from driftline.cli.progress import ProgressBar
    from driftline.core.errors import InputError
    from driftline.monitors.rules import checked_rule
    from driftline.pipeline import bias_tables, run_monitor

    out.json = json
    if (captures is None) == (data is None):
        raise InputError("nothing to check, or two things", hint="give --captures DIR --labels DIR, or --data FILE")
    analysis = analysis / "analysis.json" if analysis.is_dir() else analysis
    if config is None and label is None and (analysis.parent / CONFIG).is_file():
        config = analysis.parent / CONFIG
    asked = bias_tables.config_of(
        label, positive, facet or (), predicted, probability, threshold, group, read_config(config), by_comma(exclude)
    )
    with ProgressBar() as progress:
        if captures is not None:
            run = _run(asked, analysis, captures, labels, probability_attribute, inference_attribute)
            run = msgspec.structs.replace(
                run,
                names=by_comma(names) or run.names,
                names_of_inputs=not names,
                window=window_of(start, end),
                rule=checked_rule(rule),
                minimum_sample=minimum_sample,
                seed=seed,
                report=None if report is None else str(report),
            )
            return tell_run(run_monitor(run, progress=progress), report)
        checked = bias_tables.check_bias(
            data,
            analysis,
            config=asked,
            header=header,
            rule=checked_rule(rule),
            minimum_sample=minimum_sample,
            seed=seed,
            progress=progress,
        )
    if report is not None:
        checked.write(report)
    return _tell_checked(checked, report)


def _run(
    asked: AnalysisConfig,
    analysis: Path,
    captures: Path,
    labels: Path | None,
    probability_attribute: str | None,
    inference_attribute: str | None,
) -> BiasRun:
    """What is asked of captures."""
    from driftline.core.analysis_documents import read_bias
    from driftline.engine.attributes import OutputAttributes
    from driftline.monitors.bias.deciding import bias_of, settled
    from driftline.pipeline import BiasRun

    bias = settled(bias_of(asked))
    return BiasRun(
        captures=str(captures),
        labels=None if labels is None else str(labels),
        bias=bias,
        attributes=OutputAttributes(probability_attribute, bias.probability_threshold, inference_attribute),
        constraints=read_bias(read_file(analysis), str(analysis)),
        names=asked.captured_names,
        names_of_inputs=True,
    )


def _tell_checked(checked: BiasChecked, report: Path | None) -> int:
    _told(checked)
    document = {
        "verdict": checked.verdict,
        "reasons": checked.judgement.reasons,
        "item_count": checked.item_count,
        "violations": checked.violations,
        "notes": checked.notes,
        "rejects": checked.rejects,
        "report": None if report is None else str(report),
    }
    lines = [f"{verdict(checked.verdict)}  {checked.item_count} rows", *listed(str(checked).splitlines()[1:])]
    out.result(document, lines + ([] if report is None else [f"  report in {report}"]))
    return EXIT_CODES[checked.verdict]


def _told(found: BiasBaseline | BiasChecked) -> None:
    refused(found.rejects)
    for note in found.notes:
        out.say(f"{paint('note:', 'yellow')} {note}")
