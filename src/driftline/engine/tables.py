"""A table of predictions from a file: CSV, JSON lines or Parquet, by column name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.engine.locate import exact
from driftline.engine.rejects import SAMPLES, Reject, sample_line

_READERS = {
    ".csv": """read_csv({file}, all_varchar = true, header = true, quote = '"', escape = '"', store_rejects = true,
                         strict_mode = false)""",
    ".jsonl": "read_ndjson({file})",
    ".json": "read_ndjson({file})",
    ".parquet": "read_parquet({file})",
}


class Columns(msgspec.Struct, frozen=True):
    """The names of the columns that are read; a probability or a prediction there must be."""

    label: str
    prediction: str | None = None
    probability: str | None = None

    def __post_init__(self) -> None:
        if self.prediction is None and self.probability is None:
            raise InputError(
                "neither a prediction nor a probability column is named",
                hint="give --prediction, --probability or both",
            )

    def named(self) -> dict[str, str]:
        """The columns that are named, by role."""
        roles = {"score": self.probability, "prediction": self.prediction, "label": self.label}
        return {role: name for role, name in roles.items() if name is not None}


class PredictionTable:
    """Predictions with labels in a file; every cell is text until it is judged, so that a bad one can be shown.

    Raises :class:`InputError` naming the file for a missing file, an unreadable one, or a missing column.
    """

    def __init__(self, file: str | Path, columns: Columns) -> None:
        self.file = str(file)
        self._columns = columns
        self._db = duckdb.connect(":memory:")
        self._open()

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def rows(self) -> int:
        """How many rows the file has."""
        return self._count("true")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The usable rows: id (empty), row (its number from 0), score, prediction, label."""
        query = (
            f"SELECT '' AS id, row, {_role('score', self._columns)}, {_role('prediction', self._columns)}, label FROM t"
        )
        yield from self._db.sql(f"{query} WHERE reason IS NULL ORDER BY row").to_arrow_reader(1 << 20)

    def rejects(self) -> tuple[Reject, ...]:
        """Rows that cannot be used, with samples, and lines that the reader itself refused."""
        counts = self._db.sql(
            "SELECT reason, count(*) FROM t WHERE reason IS NOT NULL GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        found = [Reject(self.file, reason, count, self._samples(reason)) for reason, count in counts]
        return (*found, *self._refused())

    def _open(self) -> None:
        path = Path(self.file)
        reader = _READERS.get(path.suffix.lower())
        if not path.is_file():
            raise InputError(f"no file {path}", hint="check the path")
        if reader is None:
            raise InputError(f"{path} is of no known kind", hint=f"use a file ending in {', '.join(_READERS)}")
        source = reader.format(file="'" + exact(self.file).replace("'", "''") + "'")
        try:
            documents = self._check_columns(source)
            self._db.execute(f"CREATE TEMP TABLE t AS {_select(source, self._columns, documents)}").fetchall()
        except duckdb.Error as error:
            raise InputError(
                f"{path} cannot be read",
                evidence=str(error).splitlines()[0][:300],
                hint="open it and look at that place",
            ) from None

    def _check_columns(self, source: str) -> set[str]:
        """The columns whose values are of mixed kinds: they are read as pieces of JSON."""
        relation = self._db.sql(f"SELECT * FROM {source} LIMIT 0")
        have = relation.columns
        for role, name in self._columns.named().items():
            if name not in have:
                raise InputError(
                    f"{self.file}, line 1: no column {name!r} ({role})",
                    evidence=f"the columns are: {', '.join(have)[:300]}",
                    hint=f"name the column with --{'probability' if role == 'score' else role}",
                )

        return {name for name, kind in zip(have, relation.types, strict=True) if str(kind) == "JSON"}

    def _samples(self, reason: str) -> tuple[str, ...]:
        query = f"SELECT row FROM t WHERE reason = $reason ORDER BY row LIMIT {SAMPLES}"
        rows = [row for (row,) in self._db.execute(query, {"reason": reason}).fetchall()]
        kind = Path(self.file).suffix.lower()
        if kind == ".parquet":
            return tuple(f"{self.file}: row {row + 1}" for row in rows)
        return tuple(sample_line(self.file, row + 1 + (kind == ".csv")) for row in rows)

    def _refused(self) -> list[Reject]:
        if not self.file.lower().endswith(".csv"):
            return []
        lines = self._db.sql(
            "SELECT line, any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line"
        ).fetchall()
        samples = tuple(f"{self.file}:{line}: {message}"[:300] for line, message in lines[:SAMPLES])
        return [Reject(self.file, "broken_line", len(lines), samples)] if lines else []

    def _count(self, condition: str) -> int:
        return int(self._db.sql(f"SELECT count(*) FROM t WHERE {condition}").fetchall()[0][0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str, *, document: bool) -> str:
    return f"json_extract_string({_quoted(name)}, '$')" if document else f"CAST({_quoted(name)} AS VARCHAR)"


def _select(source: str, columns: Columns, documents: set[str]) -> str:
    named = columns.named()
    texts = ", ".join(
        f"nullif(trim({_text(name, document=name in documents)}), '') AS {role}_text" for role, name in named.items()
    )
    missing = " OR ".join(f"{role}_text IS NULL" for role in named if role != "label")
    number = "isnan(coalesce(try_cast(score_text AS DOUBLE), 'nan'))" if "score" in named else "false"
    return f"""
    SELECT *, CASE WHEN label_text IS NULL THEN 'no_label' WHEN {missing} THEN 'no_value'
                   WHEN {number} THEN 'not_a_number' END AS reason, label_text AS label
    FROM (SELECT row_number() OVER () - 1 AS row, {texts} FROM {source})"""


def _role(role: str, columns: Columns) -> str:
    kind = "DOUBLE" if role == "score" else "VARCHAR"
    return f"CAST({role + '_text' if role in columns.named() else 'NULL'} AS {kind}) AS {role}"
