"""The quick way into a table: columns of numbers without a gap are taken as they are, with no text in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.batches import batch_rows
from driftline.stats.vectors import are_distributions

Floats = npt.NDArray[np.float64]
_ABSENT = {"score": pa.float64(), "prediction": pa.string()}


def clean_table(data: Any, named: dict[str, str], classes: int = 0) -> pa.Table | None:
    """The columns by role, or None when any value needs a closer look: one that is absent, no number, or a date.

    ``data`` is a path to CSV or Parquet, or a table that exports an Arrow stream. ``named`` gives each role's column;
    with ``classes`` the score is a list of so many numbers, from one column or from ``score_0``, ``score_1``, ….
    """
    try:
        table = _read(data, list(dict.fromkeys(named.values())), named)
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, OSError, KeyError, UnicodeDecodeError):
        return None
    if table is None:
        return None
    columns = {role: table.column(name) for role, name in named.items()}
    if classes:
        vectors = _vectors([columns.pop(role) for role in named if role.startswith("score")], classes)
        if vectors is None:
            return None
    if not all(_usable(role, column) for role, column in columns.items()):
        return None
    return pa.table(columns | {"score": vectors} if classes else columns)


def _vectors(parts: list[pa.ChunkedArray], classes: int) -> pa.Array | None:
    """One list of numbers a row; None unless every row's are probabilities that add up to 1."""
    matrix = _listed(parts[0], classes) if len(parts) == 1 else _side_by_side(parts)
    if matrix is None or not are_distributions(matrix).all():
        return None
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), classes)


def _listed(column: pa.ChunkedArray, classes: int) -> Floats | None:
    kinds = (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)
    if column.null_count or not any(is_kind(column.type) for is_kind in kinds):
        return None
    lists = column.combine_chunks()
    flat = lists.flatten()
    if pc.any(pc.not_equal(pc.list_value_length(lists), classes)).as_py() or not _numbers(flat):
        return None
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float64).reshape(-1, classes)


def _side_by_side(columns: list[pa.ChunkedArray]) -> Floats | None:
    if not all(_numbers(column) for column in columns):
        return None
    return np.column_stack([np.asarray(column.to_numpy(), dtype=np.float64) for column in columns])


def _numbers(column: Any) -> bool:
    kind = column.type
    return not column.null_count and (pa.types.is_floating(kind) or pa.types.is_integer(kind))


def clean_batches(table: pa.Table, first: int = 0) -> Iterator[pa.RecordBatch]:
    """The rows as a monitor wants them: id, row (0, or without ids its number), score, prediction, label, weight.

    ``first`` is the number of the first row."""
    kind = table.schema.field("score").type if "score" in table.column_names else pa.null()
    most = batch_rows(kind.list_size if pa.types.is_fixed_size_list(kind) else 0)
    for batch in table.combine_chunks().to_batches(max_chunksize=most):
        n = batch.num_rows
        columns = {"id": pa.nulls(n, pa.string()), "row": pa.array(np.arange(first, first + n))}
        columns |= {role: pa.nulls(n, kind) for role, kind in _ABSENT.items()}
        columns |= {name: _exact(name, batch.column(name)) for name in table.column_names}
        if "id" in table.column_names:
            columns["row"] = pa.array(np.zeros(n, dtype=np.int64))
        yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        first += n


def _exact(role: str, column: Any) -> Any:
    """Ids as text; scores, weights and fractions in double precision."""
    kind = column.type
    if role == "id":
        return pc.cast(column, pa.string())
    number = role in ("score", "weight") and not pa.types.is_fixed_size_list(kind)
    single = pa.types.is_floating(kind) and not role.startswith("segment")
    return pc.cast(column, pa.float64()) if number or single else column


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

    kinds = {name: pa.float64() for role, name in named.items() if role.startswith("score") or role == "weight"}
    options = csv.ConvertOptions(include_columns=names, column_types=kinds, null_values=[""], strings_can_be_null=True)
    return csv.read_csv(data, read_options=csv.ReadOptions(block_size=8 << 20), convert_options=options)


def _usable(role: str, column: pa.ChunkedArray) -> bool:
    kind = column.type
    beside = role == "id" or role.startswith("segment")
    if beside or column.null_count:
        return beside
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
