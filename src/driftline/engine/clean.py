"""The quick way into a table: columns of numbers without a gap are taken as they are, with no text in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BATCH_ROWS = 1 << 17
_ABSENT = {"score": pa.float64(), "prediction": pa.string()}


def clean_table(data: Any, named: dict[str, str]) -> pa.Table | None:
    """The columns by role, or None when any value needs a closer look: one that is absent, no number, or a date.

    ``data`` is a path to CSV or Parquet, or a table that exports an Arrow stream. ``named`` gives each role's column.
    """
    try:
        table = _read(data, list(dict.fromkeys(named.values())), named)
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, OSError, KeyError, UnicodeDecodeError):
        return None
    if table is None:
        return None
    columns = {role: table.column(name) for role, name in named.items()}
    return pa.table(columns) if all(_usable(role, column) for role, column in columns.items()) else None


def clean_batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows as a monitor wants them: id (null), row (its number from 0), score, prediction, label, weight."""
    first = 0
    for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS):
        n = batch.num_rows
        columns = {"id": pa.nulls(n, pa.string()), "row": pa.array(np.arange(first, first + n))}
        columns |= {role: pa.nulls(n, kind) for role, kind in _ABSENT.items()}
        columns |= {name: batch.column(name) for name in table.column_names}
        for role in ("score", "weight"):
            if role in columns:
                columns[role] = pc.cast(columns[role], pa.float64())
        yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        first += n


def _read(data: Any, names: list[str], named: dict[str, str]) -> pa.Table | None:
    if not isinstance(data, str | Path):
        return pa.table(data).select(names)
    suffix = Path(data).suffix.lower()
    if suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(data, columns=names)
    if suffix != ".csv":
        return None
    from pyarrow import csv

    kinds = {named[role]: pa.float64() for role in ("score", "weight") if role in named}
    options = csv.ConvertOptions(include_columns=names, column_types=kinds, null_values=[""], strings_can_be_null=True)
    return csv.read_csv(data, read_options=csv.ReadOptions(block_size=8 << 20), convert_options=options)


def _usable(role: str, column: pa.ChunkedArray) -> bool:
    kind = column.type
    if column.null_count:
        return False
    if role in ("score", "weight"):
        number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
        if not number:
            return False
        values = pc.cast(column, pa.float64())
        if role == "score":
            return not pc.any(pc.is_nan(values)).as_py()
        return bool(pc.all(pc.and_(pc.is_finite(values), pc.greater_equal(values, 0.0)), min_count=0).as_py())
    if pa.types.is_floating(kind):
        return bool(pc.all(pc.is_finite(column), min_count=0).as_py())
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind))
