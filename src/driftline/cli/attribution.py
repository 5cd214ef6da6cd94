"""``driftline baseline attribution`` and ``driftline check attribution``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from driftline.cli.analyses import read_config
from driftline.cli.analysis import Json, Sample, baseline, check, read_file, window_of
from driftline.cli.attribution_text import baseline_lines, count, ranking_lines
from driftline.cli.options import by_comma
from driftline.cli.output import out, paint, plain, verdict
from driftline.cli.run_text import refused, tell_run
from driftline.core.verdict import EXIT_CODES

if TYPE_CHECKING:
    from driftline.core.analysis_config import AnalysisConfig
    from driftline.pipeline import AttributionRun
    from driftline.pipeline.attribution_tables import AttributionChecked
    from driftline.pipeline.explainers import ExplainOptions

Model = Annotated[
    Path | None, typer.Option(help="the model file: XGBoost, LightGBM, scikit-learn (skops), ONNX, or a model.tar.gz")
]
Endpoint = Annotated[
    str | None, typer.Option(help="instead of a model file: an invocation URL that takes CSV rows and answers scores")
]
BaselineRows = Annotated[
    Path | None,
    typer.Option("--baseline-rows", help="rows that stand for features that are not known; trees need none"),
]
BaselineCount = Annotated[
    int | None, typer.Option("--baseline-count", min=1, help="how many such rows are chosen where none are given (20)")
]
Aggregate = Annotated[str | None, typer.Option(help="mean_abs, median or mean_sq of the values of all rows")]
UseLogit = Annotated[bool | None, typer.Option("--use-logit/--no-logit", help="explain the log-odds of probabilities")]
Samples = Annotated[
    int | None, typer.Option(min=1, help="coalitions of features tried a row, where values are not exact")
]
Seed = Annotated[int | None, typer.Option(min=0, help="draws the sample of rows and of coalitions (0)")]
Rows = Annotated[int | None, typer.Option(min=1, help="explain a random sample of so many rows")]
Error = Annotated[
    float | None, typer.Option(help="explain as many rows as bring intervals within ± this share of all attributions")
]
Local = Annotated[Path | None, typer.Option(help="save the values of every row: FILE.parquet or FILE.csv")]
Config = Annotated[Path | None, typer.Option(help="analysis_config.json, the original's or ours; options come first")]
Label = Annotated[str | None, typer.Option(help="column of the label, which is no feature")]
Exclude = Annotated[list[str] | None, typer.Option(help="columns that are no features, by comma or one option each")]
Classes = Annotated[list[str] | None, typer.Option(help="names of the outputs, by comma or one option each")]
Header = Annotated[
    bool | None, typer.Option("--header/--no-header", help="whether a CSV's first line has the names; else it is seen")
]


@baseline.command("attribution")
def baseline_attribution(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet: a file or a folder, or a manifest")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for analysis.json")],
    model: Model = None,
    endpoint: Endpoint = None,
    label: Label = None,
    exclude: Exclude = None,
    classes: Classes = None,
    aggregation: Aggregate = None,
    use_logit: UseLogit = None,
    samples: Samples = None,
    seed: Seed = None,
    baseline_rows: BaselineRows = None,
    baseline_count: BaselineCount = None,
    rows: Rows = None,
    error: Error = None,
    local: Local = None,
    config: Config = None,
    header: Header = None,
    json: Json = False,
) -> int:
    """How much every feature weighs in a model's predictions, and a report."""
    from driftline.cli.progress import ProgressBar
    from driftline.pipeline import attribution_tables

    out.json = json
    read = _config(config)
    options = _options(read, aggregation, use_logit, samples, seed, rows, error, classes, baseline_count)
    with ProgressBar() as progress:
        found = attribution_tables.baseline_attribution(
            file,
            _model(model, endpoint),
            options=options,
            progress=progress,
            **_table(read, label, exclude, header, baseline_rows, local, output),
        )
    paths = found.write(output)
    _left_out(found.rejects, found.refused)
    document = {
        "rows": found.rows,
        "explained_rows": found.analysis.rows,
        "refused_rows": found.refused,
        "method": found.analysis.method,
        "aggregation": found.analysis.aggregation,
        "analysis": str(paths[0]),
        "labels": found.analysis.labels,
        "rejects": found.rejects,
    }
    out.result(document, baseline_lines(found, paths))
    return 0


@check.command("attribution")
def check_attribution(
    analysis: Annotated[Path, typer.Option(help="the baseline's analysis.json, or its folder")],
    data: Annotated[Path | None, typer.Option(help="a file or folder of CSV, JSON lines or Parquet")] = None,
    captures: Annotated[Path | None, typer.Option(help="instead: folder of capture files")] = None,
    names: Annotated[
        list[str] | None, typer.Option(help="of captures: names of the inputs; by comma or one option each")
    ] = None,
    start: Annotated[str | None, typer.Option(help="of captures: first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="of captures: first instant after, ISO 8601 UTC")] = None,
    model: Model = None,
    endpoint: Endpoint = None,
    label: Label = None,
    exclude: Exclude = None,
    classes: Classes = None,
    aggregation: Aggregate = None,
    use_logit: UseLogit = None,
    samples: Samples = None,
    seed: Seed = None,
    baseline_rows: BaselineRows = None,
    rows: Rows = None,
    error: Error = None,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="an NDCG below this is a violation")] = 0.9,
    rule: Annotated[
        str, typer.Option(help="interval: the whole interval must lie below the threshold; plain: the value is enough")
    ] = "interval",
    local: Local = None,
    config: Config = None,
    header: Header = None,
    report: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the report")] = None,
    minimum_sample: Sample = 30,
    json: Json = False,
) -> int:
    """Explain predictions and hold the ranking of features against a baseline. Exit code 0 OK, 1 violated, 3 no
    verdict."""
    from driftline.cli.progress import ProgressBar
    from driftline.core.errors import InputError
    from driftline.monitors.rules import checked_rule
    from driftline.pipeline import attribution_tables, run_monitor

    out.json = json
    if (captures is None) == (data is None):
        raise InputError("nothing to check, or two things", hint="give --captures DIR, or --data FILE")
    analysis = analysis / "analysis.json" if analysis.is_dir() else analysis
    if captures is not None:
        beside = analysis.with_name("analysis_config.json")
        run = _run(config or (beside if beside.is_file() else None), analysis, captures, model, endpoint)
        run = msgspec.structs.replace(
            run,
            names=by_comma(names) or run.names,
            names_of_inputs=not names,
            exclude=by_comma(exclude),
            rows=rows,
            window=window_of(start, end),
            threshold=threshold,
            rule=checked_rule(rule),
            minimum_sample=minimum_sample,
            report=None if report is None else str(report),
        )
        with ProgressBar() as progress:
            return tell_run(run_monitor(run, progress=progress), report)
    read = _config(config)
    given: Any = {"rule": rule}
    with ProgressBar() as progress:
        checked = attribution_tables.check_attribution(
            data,
            _model(model, endpoint),
            analysis,
            options=_options(read, aggregation, use_logit, samples, seed, rows, error, classes, None),
            threshold=threshold,
            minimum_sample=minimum_sample,
            progress=progress,
            **given,
            **_table(read, label, exclude, header, baseline_rows, local, report),
        )
    if report is not None:
        checked.write(report)
    return _tell(checked, report)


def _run(
    config: Path | None, analysis: Path, captures: Path, model: Path | None, endpoint: str | None
) -> AttributionRun:
    """What is asked of captures: explained as the configuration says, the baseline's unless another is given."""
    from driftline.core.analysis_documents import read_attribution
    from driftline.core.analysis_settings import AnalysisConfig, ShapConfig
    from driftline.core.errors import InputError
    from driftline.pipeline import AttributionRun

    if (model is None) == (endpoint is None):
        raise InputError("no model to explain, or two", hint="give --model FILE or --endpoint URL")
    read = _config(config) or AnalysisConfig()
    return AttributionRun(
        captures=str(captures),
        shap=read.attribution or ShapConfig(),
        model=None if model is None else str(model),
        url=endpoint,
        constraints=read_attribution(read_file(analysis), str(analysis)),
        names=read.captured_names,
        names_of_inputs=True,
        classes=read.predictor.label_headers,
    )


def _config(path: Path | None) -> AnalysisConfig | None:
    """What a configuration says of attributions."""
    from driftline.core.errors import InputError

    found = read_config(path)
    if found is not None and found.attribution is None:
        raise InputError(f"{path} says nothing of attributions", hint="give it methods.shap, or attribution (ours)")
    return found


def _options(
    read: AnalysisConfig | None,
    aggregation: str | None,
    use_logit: bool | None,
    samples: int | None,
    seed: int | None,
    rows: int | None,
    error: float | None,
    classes: list[str] | None,
    baseline_count: int | None,
) -> ExplainOptions:
    """What was asked for: by options, else by the configuration."""
    from driftline.core.analysis_settings import ShapConfig
    from driftline.core.attribution_analysis import AGGREGATIONS
    from driftline.core.errors import InputError
    from driftline.pipeline.explainers import BASELINE_ROWS, ExplainOptions

    told = None if read is None else read.attribution
    shap = told or ShapConfig()
    wanted = next((one for one in AGGREGATIONS if one == aggregation), None if told is None else told.aggregation)
    if aggregation is not None and wanted != aggregation:
        raise InputError(f"{aggregation!r} is no aggregation", hint=f"use one of {', '.join(AGGREGATIONS)}")
    return ExplainOptions(
        aggregation=wanted,
        use_logit=shap.use_logit if use_logit is None else use_logit,
        samples=samples or shap.samples or 0,
        seed=(shap.seed or 0) if seed is None else seed,
        rows=rows,
        error=error,
        classes=by_comma(classes) or (() if read is None else read.predictor.label_headers),
        baseline_count=baseline_count or shap.clusters or BASELINE_ROWS,
    )


def _table(
    read: AnalysisConfig | None,
    label: str | None,
    exclude: list[str] | None,
    header: bool | None,
    baseline_rows: Path | None,
    local: Path | None,
    folder: Path | None,
) -> dict[str, Any]:
    """How the table is read, what stands for unknown features, and where the values of rows go."""
    found: dict[str, Any] = {
        "label": label,
        "exclude": by_comma(exclude),
        "header": header,
        "baseline_rows": baseline_rows,
        "local": local,
    }
    if read is None or read.attribution is None:
        return found
    found |= {"names": read.headers, "exclude": (*found["exclude"], *read.not_features)}
    if baseline_rows is None:
        from driftline.pipeline.attribution_baselines import given_rows

        found["baseline_rows"] = given_rows(read.attribution.baseline)
    if local is None and folder is not None and read.attribution.save_local:
        found["local"] = folder / "explanations_shap" / "out.csv"
    return found


def _model(model: Path | None, endpoint: str | None) -> Any:
    """The path of a model, or a function that asks an endpoint."""
    from driftline.core.errors import InputError
    from driftline.serving.libraries import serve_only

    if (model is None) == (endpoint is None):
        raise InputError("no model to explain, or two", hint="give --model FILE or --endpoint URL")
    if endpoint is None:
        serve_only()
        return model
    from driftline.serving.explain.endpoint import http_predict

    return http_predict(endpoint)


def _tell(checked: AttributionChecked, report: Path | None) -> int:
    _left_out(checked.rejects, checked.refused)
    document = {
        "verdict": checked.verdict,
        "reasons": checked.judgement.reasons,
        "rows": checked.rows,
        "explained_rows": checked.analysis.rows,
        "refused_rows": checked.refused,
        "method": checked.analysis.method,
        "aggregation": checked.analysis.aggregation,
        "violations": checked.violations,
        "drift": checked.drift,
        "rejects": checked.rejects,
        "report": None if report is None else str(report),
    }
    lines = [f"{verdict(checked.verdict)}  {count(checked.analysis, checked.rows)}", *str(checked).splitlines()[1:]]
    for one in checked.drift:
        lines += ranking_lines(plain(one))
    out.result(document, lines + ([] if report is None else [f"  report in {report}"]))
    return EXIT_CODES[checked.verdict]


def _left_out(rejects: Any, rows: int) -> None:
    refused(rejects)
    if rows:
        out.say(f"{paint('left out:', 'yellow')} {rows} rows whose prediction, or a part of it, is no finite number")
