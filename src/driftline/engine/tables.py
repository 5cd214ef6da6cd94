"""A table of predictions, by column name: a file of CSV, JSON lines or Parquet, or any table that exports Arrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.engine.attributes import check_classes
from driftline.engine.batches import batch_rows
from driftline.engine.clean import clean_batches, clean_table
from driftline.engine.files import exact
from driftline.engine.rejects import SAMPLES, Reject, sample_line
from driftline.engine.sql import IS_DISTRIBUTION

if TYPE_CHECKING:
    import duckdb

_READERS = {
    ".csv": """read_csv({file}, all_varchar = true, header = true, quote = '"', escape = '"', store_rejects = true,
                         strict_mode = false)""",
    ".jsonl": "read_ndjson({file})",
    ".json": "read_ndjson({file})",
    ".parquet": "read_parquet({file})",
}


class Columns(msgspec.Struct, frozen=True):
    """The names of the columns that are read; a probability or a prediction there must be.

    A multiclass model's probabilities are in several columns, one a class, or in one column of lists, ``classes`` being
    the names of its classes in that order; of several columns the names of the columns by default. ``segments`` are
    columns that are handed on as they are, as ``segment_0``, ``segment_1`` … ``id`` is what a row is known by whatever
    its place; without it rows are known by their numbers.
    """

    label: str
    prediction: str | None = None
    probability: str | tuple[str, ...] | None = None
    weight: str | None = None
    classes: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    id: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.probability, tuple):
            msgspec.structs.force_setattr(self, "classes", self.classes or self.probability)
            if len(self.classes) != len(self.probability):
                raise InputError(
                    f"{len(self.probability)} probability columns and {len(self.classes)} classes do not go together",
                    evidence=f"columns {', '.join(self.probability)[:150]}; classes {', '.join(self.classes)[:150]}",
                    hint="name one column for each class, in the same order",
                )
        if self.classes and self.probability is None:
            raise InputError("classes are named, but no probabilities", hint="give --probability too")
        if self.classes:
            check_classes(self.classes)
        if self.prediction is None and self.probability is None:
            raise InputError(
                "neither a prediction nor a probability column is named",
                hint="give --prediction, --probability or both",
            )

    def named(self) -> dict[str, str]:
        """The columns that are named, by role."""
        roles: dict[str, str | None] = {"prediction": self.prediction, "label": self.label, "weight": self.weight}
        roles["id"] = self.id
        if isinstance(self.probability, tuple):
            scores: dict[str, str | None] = {f"score_{place}": name for place, name in enumerate(self.probability)}
        else:
            scores = {"score": self.probability}
        roles = scores | roles | {f"segment_{place}": name for place, name in enumerate(self.segments)}
        return {role: name for role, name in roles.items() if name is not None}


class PredictionTable:
    """Predictions with labels. Columns of clean numbers are taken as they are; otherwise every cell is text until it
    is judged, so that a bad one can be shown.

    ``data`` is a path, or a table that exports an Arrow stream (pandas, Polars, DuckDB, pyarrow), and may be a part of
    a larger one with ``first`` rows before it. Raises :class:`InputError` naming the file for a missing file, an
    unreadable one, or a missing column.
    """

    def __init__(self, data: Any, columns: Columns, first: int = 0) -> None:
        self._first = first
        self._is_file = isinstance(data, str | Path)
        self.file = str(data) if self._is_file else "the table"
        self._columns = columns
        self._db: duckdb.DuckDBPyConnection | None = None
        # A stream can be read once, so a table is made of it before anyone looks.
        self._data = data if self._is_file else _arrow(data)
        self._clean = clean_table(self._data, columns.named(), len(columns.classes))
        if self._clean is None:
            self._open()

    def close(self) -> None:
        """Give the memory back."""
        self._clean = None
        if self._db is not None:
            self._db.close()

    def rows(self) -> int:
        """How many rows there are."""
        if self._clean is not None:
            return int(self._clean.num_rows)
        return int(self._sql("SELECT count(*) FROM t")[0][0])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The usable rows: id, row (0, or without ids its number from 0), score, prediction, label, and weight if it is
        named.

        Predictions and labels are text, or whole numbers or truth values where all of them are clean.
        """
        if self._clean is not None:
            yield from clean_batches(self._clean, self._first)
            return
        roles = ", ".join(_role(role, self._columns) for role in ("score", "prediction"))
        weight = ", CAST(weight_text AS DOUBLE) AS weight" if self._columns.weight is not None else ""
        segments = "".join(f", {role}" for role in self._columns.named() if role.startswith("segment"))
        identity = f"CAST(NULL AS VARCHAR) AS id, row + {self._first} AS row"
        if self._columns.id is not None:
            identity = "id, CAST(0 AS BIGINT) AS row"
        chosen = f"{identity}, {roles}, label{weight}{segments}"
        query = f"SELECT {chosen} FROM t WHERE reason IS NULL ORDER BY t.row"
        if self._db is not None:
            yield from self._db.sql(query).to_arrow_reader(batch_rows(len(self._columns.classes)))

    def rejects(self) -> tuple[Reject, ...]:
        """Rows that cannot be used, with samples, and lines that the reader itself refused."""
        if self._clean is not None:
            return ()
        counts = self._sql("SELECT reason, count(*) FROM t WHERE reason IS NOT NULL GROUP BY ALL ORDER BY ALL")
        found = [Reject(self.file, reason, count, self._samples(reason)) for reason, count in counts]
        return (*found, *self._refused())

    def _open(self) -> None:
        import duckdb

        source = self._source() if self._is_file else "given"
        self._db = duckdb.connect(":memory:")
        self._db.execute(IS_DISTRIBUTION)
        try:
            if not self._is_file:
                self._db.register("given", self._data)
            types = self._check_columns(source)
            self._db.execute(f"CREATE TEMP TABLE t AS {_select(source, self._columns, types)}").fetchall()
        except duckdb.Error as error:
            raise InputError(
                f"{self.file} cannot be read",
                evidence=str(error).splitlines()[0][:300],
                hint="open it and look at that place",
            ) from None

    def _source(self) -> str:
        """How the file is read."""
        path = Path(self.file)
        reader = _READERS.get(path.suffix.lower())
        if not path.is_file():
            raise InputError(f"no file {path}", hint="check the path")
        if reader is None:
            raise InputError(f"{path} is of no known kind", hint=f"use a file ending in {', '.join(_READERS)}")
        return reader.format(file="'" + exact(self.file).replace("'", "''") + "'")

    def _sql(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return [] if self._db is None else self._db.execute(query, parameters).fetchall()

    def _check_columns(self, source: str) -> dict[str, str]:
        """The types of all columns; raises :class:`InputError` for one that is not there."""
        described = self._sql(f"DESCRIBE SELECT * FROM {source} LIMIT 0")
        have = [row[0] for row in described]
        for role, name in self._columns.named().items():
            if name not in have:
                raise missing_column(f"{self.file}{', line 1' if self._is_file else ''}", role, name, have)
        return {row[0]: row[1] for row in described}

    def _samples(self, reason: str) -> tuple[str, ...]:
        query = f"SELECT t.row FROM t WHERE reason = $reason ORDER BY t.row LIMIT {SAMPLES}"
        rows = [row for (row,) in self._sql(query, {"reason": reason})]
        kind = Path(self.file).suffix.lower() if self._is_file else ""
        if kind in (".parquet", ""):
            return tuple(f"{self.file}: row {self._first + row + 1}" for row in rows)
        return tuple(sample_line(self.file, row + 1 + (kind == ".csv")) for row in rows)

    def _refused(self) -> list[Reject]:
        if not self._is_file or not self.file.lower().endswith(".csv"):
            return []
        lines = self._sql("SELECT line, any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line")
        samples = tuple(f"{self.file}:{line}: {message}"[:300] for line, message in lines[:SAMPLES])
        return [Reject(self.file, "broken_line", len(lines), samples)] if lines else []


def missing_column(table: str, role: str, name: str, have: Sequence[str]) -> InputError:
    """That a table has no such column for a role."""
    return InputError(
        f"{table}: no column {name!r} ({role})",
        evidence=f"the columns are: {', '.join(have)[:300]}",
        hint=f"name the column with --{'probability' if role.startswith('score') else role}",
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str, kind: str) -> str:
    if kind == "JSON":  # values of mixed kinds, read as pieces of JSON
        return f"json_extract_string({_quoted(name)}, '$')"
    # The text of a single-precision number is shorter than the number that it is taken for where all cells are clean.
    exact = re.sub(r"^FLOAT\b", "DOUBLE", kind)
    value = _quoted(name) if exact == kind else f"CAST({_quoted(name)} AS {exact})"
    return f"CAST({value} AS VARCHAR)"


def _as_given(role: str, name: str, kind: str) -> str:
    """A column that is handed on; ids become text."""
    return _text(name, kind) if kind == "JSON" or role == "id" else _quoted(name)


def _select(source: str, columns: Columns, types: dict[str, str]) -> str:
    named = columns.named()
    beside = {role: name for role, name in named.items() if role == "id" or role.startswith("segment")}
    judged = {role: name for role, name in named.items() if role not in beside}
    cells = {role: f"nullif(trim({_text(name, types[name])}), '')" for role, name in judged.items()}
    scores = [cells.pop(role) for role in judged if role.startswith("score")]
    size = len(columns.classes)
    if scores:
        # With any cell of a vector empty there is no vector; a list column is such a text by itself.
        cells["score"] = scores[0] if len(scores) == 1 else "'[' || " + " || ',' || ".join(scores) + " || ']'"
    texts = ", ".join(f"{cell} AS {role}_text" for role, cell in cells.items())
    texts += "".join(f", {_as_given(role, name, types[name])} AS {role}" for role, name in beside.items())
    needed = [role for role in cells if role in ("score", "prediction")]
    missing = " OR ".join(f"{role}_text IS NULL" for role in needed)
    weight = (
        "WHEN NOT coalesce(try_cast(weight_text AS DOUBLE) >= 0 AND isfinite(try_cast(weight_text AS DOUBLE)), false)"
        " THEN 'bad_weight'"
        if "weight" in named
        else ""
    )
    number = "coalesce(isnan(try_cast(score_text AS DOUBLE)), true)" if scores else "false"
    fault = "not_a_number"
    if size:
        number, fault = f"NOT is_distribution(try_cast(score_text AS DOUBLE[]), {size})", "not_a_distribution"
    return f"""
    SELECT *, CASE WHEN label_text IS NULL THEN 'no_label' WHEN {missing} THEN 'no_value'
                   WHEN {number} THEN '{fault}' {weight} END AS reason, label_text AS label
    FROM (SELECT row_number() OVER () - 1 AS row, {texts} FROM {source})"""


def _role(role: str, columns: Columns) -> str:
    given = columns.probability if role == "score" else columns.prediction
    kind = "VARCHAR" if role == "prediction" else "DOUBLE[]" if columns.classes else "DOUBLE"
    return f"CAST({'NULL' if given is None else role + '_text'} AS {kind}) AS {role}"


def _arrow(data: Any) -> pa.Table:
    if not hasattr(data, "__arrow_c_stream__"):
        raise InputError(
            f"a {type(data).__name__} is no table",
            hint="give a path, or a table that exports Arrow: pandas 2.2, Polars, DuckDB, pyarrow",
        )
    return pa.table(data)
