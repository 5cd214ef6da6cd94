"""How many rows a batch has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

BATCH_ROWS = 1 << 17
_MOST_NUMBERS = 1 << 22
_MOST_CELLS = 1 << 24


def batch_rows(classes: int = 0) -> int:
    """The rows of a batch: 131,072, or fewer where each holds many numbers, so that a batch of probabilities of
    ``classes`` classes stays below 32 MB.

    >>> batch_rows(), batch_rows(10), batch_rows(1000)
    (131072, 131072, 4194)
    """
    return min(BATCH_ROWS, _MOST_NUMBERS // max(1, classes))


def table_rows(columns: int) -> int:
    """The rows of a batch of a table with so many columns: 131,072, or fewer where 16,777,216 cells would be exceeded.

    >>> table_rows(20), table_rows(2000)
    (131072, 8388)
    """
    return max(1, min(BATCH_ROWS, _MOST_CELLS // max(1, columns)))


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Small batches put together to batches of up to so many rows; those without a row are left out."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        if held and count + batch.num_rows > rows:
            yield _joined(held)
            held, count = [], 0
        if batch.num_rows:
            held.append(batch)
            count += batch.num_rows
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    import pyarrow as pa

    return batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def row_groups(file: ParquetFile, rows: int) -> Iterator[pa.RecordBatch]:
    """The batches of a Parquet file, one row group after the other: a reader of all of them holds what it has read
    until the end, which is the whole file."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=rows, row_groups=[group])
