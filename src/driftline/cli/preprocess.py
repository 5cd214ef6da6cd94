"""``driftline preprocess test``: a user's script on the first records of a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.output import out

if TYPE_CHECKING:
    import pyarrow as pa

    from driftline.scripts.errors import ScriptReport

preprocess = typer.Typer(help="Scripts that prepare records for the analysis.", no_args_is_help=True)
_TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
_MOST_CELL = 60
_MOST_COLUMNS = 12


@preprocess.callback()
def _preprocess() -> None:
    """Scripts that prepare records for the analysis."""


@preprocess.command("test")
def try_script(
    script: Annotated[Path, typer.Argument(help="a Python file with preprocess_handler(inference_record[, logger])")],
    file: Annotated[Path, typer.Option("--on", help="captured records (JSON lines), or a CSV: its lines as text")],
    rows: Annotated[int, typer.Option("--rows", min=1, help="how many records of the file")] = 20,
    header: Annotated[bool, typer.Option("--header", help="pass over the first line of a CSV")] = False,
    seconds: Annotated[float, typer.Option(help="how long the script may work")] = 60.0,
    memory: Annotated[int, typer.Option(min=16, help="MiB of memory that it may hold")] = 1024,
    json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> int:
    """Run a script as a run would, and show its rows, its log, and the record that broke it."""
    import pyarrow as pa

    from driftline.scripts.errors import ScriptError
    from driftline.scripts.host import ScriptLimits
    from driftline.scripts.preprocess import Preprocessor

    out.json = json
    preprocessor = Preprocessor(script, ScriptLimits(seconds, memory << 20))
    lines = islice(_lines(file, header=header), rows)
    try:
        if file.suffix.lower() in _TEXT_SUFFIXES:
            batches = list(preprocessor.lines(line.decode("utf-8", "replace") for line in lines))
        else:
            batches = list(preprocessor.batches(lines))
    except ScriptError as error:
        if not json:
            _say(preprocessor.report.log, error.trace)
        raise
    found = pa.Table.from_batches(batches)
    if not json:
        _say(preprocessor.report.log)
    out.result(_document(found, preprocessor.report), _text(found, preprocessor.report))
    return 0


def _lines(file: Path, *, header: bool) -> Iterator[bytes]:
    from driftline.core.errors import InputError

    try:
        with file.open("rb") as opened:
            yield from islice(opened, 1 if header else 0, None)
    except OSError as error:
        raise InputError(
            f"{file} cannot be read", evidence=error.strerror or str(error), hint="check the path"
        ) from None


def _say(*texts: str) -> None:
    for text in texts:
        if text:
            out.say(text.rstrip("\n"))


def _document(found: pa.Table, report: ScriptReport) -> dict[str, Any]:
    columns = {field.name: str(field.type) for field in found.schema}
    return {"columns": columns, "rows": found.to_pylist(), "report": report}


def _text(found: pa.Table, report: ScriptReport) -> Iterator[str]:
    from driftline.processes.memory import size

    yield f"{report.records} records gave {report.rows} rows of {found.num_columns} columns, {report.dropped} dropped"
    yield f"  {report.seconds:.2f} s, {size(report.peak_memory >> 20 << 20)} of memory"
    if report.refused:
        yield f"  {report.refused} lines are no capture record"
        yield from (f"    {sample}" for sample in report.samples)
    if found.num_columns:
        yield ""
        yield from _drawn(found)


def _drawn(found: pa.Table) -> list[str]:
    """The rows as a table; what is wider than the terminal is wrapped, further columns are only counted."""
    import io

    from rich.console import Console
    from rich.table import Table

    shown = found.select(found.column_names[:_MOST_COLUMNS])
    table = Table(show_edge=False, caption=_left_out(found), caption_justify="left")
    for field in shown.schema:
        table.add_column(_cell(field.name), justify="left" if str(field.type) == "string" else "right")
    for row in zip(*(column.to_pylist() for column in shown.columns), strict=True):
        table.add_row(*map(_cell, row))
    console = Console(file=io.StringIO(), width=_width(), color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(table, markup=False)
    return [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]


def _left_out(found: pa.Table) -> str | None:
    left = found.num_columns - _MOST_COLUMNS
    return f"and {left} more columns; --json shows them all" if left > 0 else None


def _width() -> int:
    import shutil
    import sys

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 200


def _cell(value: object) -> Any:
    from rich.text import Text

    text = "" if value is None else str(value)
    # Control characters of a record must not reach the terminal.
    clean = "".join(character if character.isprintable() else "·" for character in text[: _MOST_CELL + 1])
    return Text(clean if len(clean) <= _MOST_CELL else f"{clean[:_MOST_CELL]}…")
