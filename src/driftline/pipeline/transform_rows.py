"""The rows of a file that a batch transform read or wrote, and capture records of them."""

from __future__ import annotations

import io
from datetime import datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from driftline.core.errors import InputError
from driftline.core.window import format_time
from driftline.engine.names import cells_of
from driftline.engine.payload.documents import Documents, quoted
from driftline.engine.texts import Array
from driftline.resources.baseline_jobs import TableFormat
from driftline.serving.transform.documents import ID, TIME
from driftline.serving.transform.lines import lines_of, text_of

_APPENDED = r"^(?P<row>.*),(?P<id>[0-9A-Fa-f-]{36}),(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*Z)\s*$"


class Rows(msgspec.Struct, frozen=True):
    """The rows of a file as texts, and the names of their columns where a header told them."""

    texts: Array
    header: tuple[str, ...] = ()

    def without_header(self) -> Rows:
        """The rows after the first, which are the names of the columns."""
        if not len(self.texts):
            return self
        return Rows(self.texts.slice(1), tuple(cells_of(self.texts[0].as_py())))


def rows_of(json: Documents, content: bytes, kind: TableFormat, source: str) -> Rows:
    """The rows of a file, a header among them; a row of Parquet is a JSON object, a whole document is one row."""
    if kind.kind == "parquet":
        return Rows(_parquet_rows(json, content, source))
    if kind.kind == "json" and not kind.lines:
        return Rows(pa.array([text_of(content, source).strip()]))
    lines = lines_of(content, source)
    return Rows(lines.filter(pc.not_equal(pc.binary_length(lines), 0)) if kind.kind == "json" else lines)


def _parquet_rows(json: Documents, content: bytes, source: str) -> Array:
    try:
        table = parquet.read_table(io.BytesIO(content))
    except (pa.ArrowInvalid, OSError) as error:
        hint = "correct the format of the schedule's dataset, or the file"
        raise InputError(f"{source} is no Parquet file", evidence=str(error)[:200], hint=hint) from None
    columns = dict(zip(table.column_names, table.columns, strict=True))
    return json.evaluate_table(columns, row="CAST(to_json(given) AS VARCHAR)")["row"]


class Appended(msgspec.Struct, frozen=True):
    """Rows of answers, with the id and the time that each carries; null where it has none."""

    rows: Array
    ids: Array
    times: Array


def appended(json: Documents, rows: Array, kind: TableFormat) -> Appended:
    """The ids and times that a transform appended; of CSV the rows are given without them, a document keeps them.

    >>> from contextlib import closing
    >>> row = "1,0.5,00000000-0000-4000-8000-000000000000,2022-08-30T00:49:15Z"
    >>> with closing(Documents()) as json:
    ...     found = appended(json, pa.array([row, "1,0.5"]), TableFormat())
    >>> found.rows.to_pylist(), found.times.to_pylist()
    (['1,0.5', '1,0.5'], ['2022-08-30T00:49:15Z', None])
    """
    if kind.kind == "csv":
        found = pc.extract_regex(rows, _APPENDED)
        row, ids, times = (pc.struct_field(found, name) for name in ("row", "id", "time"))
        return Appended(pc.coalesce(row, rows), ids, times)
    keys = {"i": ID, "t": TIME}
    told = json.evaluate(rows, **{name: f"try(json_extract_string(d, '$.{key}'))" for name, key in keys.items()})
    return Appended(rows, told["i"], told["t"])


def record_sql(hour: datetime, kind: TableFormat, mark: str) -> str:
    """The SQL of a capture record of columns ``i`` and ``o`` (a side each, null where it is not there), ``id``, ``t``
    and ``n``; an event without an id is called by ``mark`` and its number."""
    sides = [_side("endpointInput", "i", "INPUT", kind), _side("endpointOutput", "o", "OUTPUT", kind)]
    event = f"'\"eventId\":' || to_json(coalesce(id, {quoted(mark + '-')} || n))"
    inference = "'\"inferenceId\":' || to_json(id)"
    moment = f"CASE WHEN starts_with(t, '{hour:%Y-%m-%dT%H}') THEN t ELSE '{format_time(hour)}' END"
    time = f"'\"inferenceTime\":\"' || {moment} || '\"'"
    return (
        f"'{{\"captureData\":{{' || concat_ws(',', {', '.join(sides)})"
        f" || '}},\"eventMetadata\":{{' || concat_ws(',', {event}, {inference}, {time})"
        ' || \'},"eventVersion":"0"}\''
    )


def _side(name: str, column: str, mode: str, kind: TableFormat) -> str:
    encoding, media_type = ("CSV", "text/csv") if kind.kind == "csv" else ("JSON", "application/json")
    rest = f',"encoding":"{encoding}","mode":"{mode}","observedContentType":"{media_type}"}}'
    return f"'\"{name}\":{{\"data\":' || to_json({column}) || '{rest}'"
