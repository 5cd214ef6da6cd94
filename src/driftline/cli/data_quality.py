"""``driftline baseline data-quality`` and ``driftline check data-quality``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.analysis import Json, Sample, baseline, check, read_file, window_of
from driftline.cli.analysis_text import segment_lines
from driftline.cli.options import by_comma
from driftline.cli.output import out, plain, table, verdict
from driftline.cli.run_text import listed, refused, tell_run
from driftline.core.verdict import EXIT_CODES

if TYPE_CHECKING:
    from driftline.pipeline.data_tables import DataBaseline, DataChecked

SHOWN = 12
Header = Annotated[
    bool | None, typer.Option("--header/--no-header", help="whether a CSV's first line has the names; else it is seen")
]
Exclude = Annotated[list[str] | None, typer.Option(help="columns to leave out, by comma or one option each")]


@baseline.command("data-quality")
def baseline_data_quality(
    data: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet: a file or a folder, or a manifest")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for statistics.json and constraints.json")],
    header: Header = None,
    exclude: Exclude = None,
    json: Json = False,
) -> int:
    """Statistics of every column, suggested constraints, and a report."""
    from driftline.cli.progress import ProgressBar
    from driftline.pipeline import data_tables

    out.json = json
    with ProgressBar() as progress:
        found = data_tables.baseline_data_quality(data, header=header, exclude=by_comma(exclude), progress=progress)
    paths = found.write(output)
    refused(found.rejects)
    document = {
        "item_count": found.statistics.item_count,
        "features": len(found.statistics.features),
        "statistics": str(paths[0]),
        "constraints": str(paths[1]),
        "rejects": found.rejects,
    }
    out.result(document, _baseline_text(found, paths))
    return 0


@check.command("data-quality")
def check_data_quality(
    captures: Annotated[Path | None, typer.Option(help="folder of capture files")] = None,
    data: Annotated[
        Path | None, typer.Option(help="instead of captures: a file or folder of CSV, JSON lines or Parquet")
    ] = None,
    constraints: Annotated[Path | None, typer.Option(help="constraints.json to check against")] = None,
    statistics: Annotated[
        Path | None, typer.Option(help="the baseline's statistics.json: compares distributions")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option(help="names of the captured columns, outputs first, by comma or one each")
    ] = None,
    header: Header = None,
    exclude: Exclude = None,
    preprocess: Annotated[
        Path | None, typer.Option(help="of captures: a script whose preprocess_handler makes the rows")
    ] = None,
    postprocess: Annotated[Path | None, typer.Option(help="of captures: a script to run after the report")] = None,
    analyzer: Annotated[
        list[str] | None, typer.Option(help="of captures: a custom analyzer, NAME or FILE.py:CLASS; repeatable")
    ] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option(help="rank the segments of a column: plan, or bins as age:18,30; repeatable"),
    ] = None,
    start: Annotated[str | None, typer.Option(help="first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="first instant after, ISO 8601 UTC")] = None,
    report: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the report")] = None,
    minimum_sample: Sample = 30,
    json: Json = False,
) -> int:
    """Measure every column and hold it against a baseline. Exit code 0 OK, 1 violated, 3 no verdict."""
    from driftline.cli.progress import ProgressBar
    from driftline.core.errors import InputError
    from driftline.core.table_constraints_document import read_table_constraints
    from driftline.core.table_statistics_reader import read_statistics
    from driftline.pipeline import DataQualityRun, data_tables, run_monitor

    out.json = json
    if (captures is None) == (data is None):
        raise InputError("nothing to check, or two things", hint="give --captures DIR or --data FILE")
    held: dict[str, Any] = {
        "constraints": None
        if constraints is None
        else read_table_constraints(read_file(constraints), str(constraints)),
        "baseline": None if statistics is None else read_statistics(read_file(statistics), str(statistics)),
        "minimum_sample": minimum_sample,
    }
    with ProgressBar() as progress:
        if data is not None:
            checked = data_tables.check_data_quality(
                data,
                header=header,
                exclude=by_comma(exclude),
                segments=segment or (),
                progress=progress,
                **held,
            )
            if report is not None:
                checked.write(report)
            return _tell_checked(checked, report)
        run = DataQualityRun(
            captures=str(captures),
            names=by_comma(names),
            exclude=by_comma(exclude),
            window=window_of(start, end),
            report=None if report is None else str(report),
            preprocessor=None if preprocess is None else str(preprocess),
            postprocessor=None if postprocess is None else str(postprocess),
            analyzers=tuple(analyzer or ()),
            segments=tuple(segment or ()),
            **held,
        )
        return tell_run(run_monitor(run, progress=progress), report)


def _tell_checked(checked: DataChecked, report: Path | None) -> int:
    refused(checked.rejects)
    document = {
        "verdict": checked.verdict,
        "reasons": checked.judgement.reasons,
        "item_count": checked.statistics.item_count,
        "violations": checked.violations,
        "drift": checked.drift,
        "segments": checked.segments,
        "rejects": checked.rejects,
        "report": None if report is None else str(report),
    }
    count = f"{checked.statistics.item_count} rows, {len(checked.statistics.features)} columns"
    lines = [f"{verdict(checked.verdict)}  {count}", *listed(str(checked).splitlines()[1:])]
    lines += segment_lines({"segments": [plain(rank) for rank in checked.segments]})
    out.result(document, lines + ([] if report is None else [f"  report in {report}"]))
    return EXIT_CODES[checked.verdict]


def _baseline_text(found: DataBaseline, paths: list[Path]) -> list[str]:
    features = found.statistics.features
    lines = [f"baseline of {found.statistics.item_count} rows, {len(features)} columns"]
    rows = []
    for feature in features[:SHOWN]:
        numbers, texts = feature.numerical, feature.string
        about = ""
        if numbers is not None and numbers.mean is not None:
            about = f"mean {numbers.mean:.6g}, {numbers.min:.6g} to {numbers.max:.6g}"
        elif texts is not None:
            about = f"{texts.distinct_count:.0f} distinct"
        rows.append((feature.name, feature.inferred_type, str(feature.num_missing), about))
    lines += table(rows, ("column", "type", "missing", "values"))
    if len(features) > SHOWN:
        lines.append(f"  … and {len(features) - SHOWN} more")
    return lines + [f"  wrote {path}" for path in paths]
