"""A seeded table of very many columns, made and written piece by piece: float32 and int16, to keep its size bearable.

A million rows of a thousand columns are 600 × 4 MB and 400 × 2 MB: 3.2 GB, and 2.9 GB as Parquet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from data import SEED

GROUP_ROWS = 50_000
_FLOATS = 3, 5


def drifted(columns: int) -> tuple[str, ...]:
    """The names of the columns that drifted: a float that moved, one that is wider, and an integer that moved."""
    return names(columns)[:2] + names(columns)[-1:]


def names(columns: int) -> tuple[str, ...]:
    """The names of all columns: three of five are floats, then come integers. There must be at least five."""
    floats = columns * _FLOATS[0] // _FLOATS[1]
    return tuple(f"float_{n}" if n < floats else f"integer_{n}" for n in range(columns))


def table(folder: Path, rows: int, columns: int, *, drifted: bool) -> Path:
    """A Parquet file with a row group for every 50,000 rows; no more than one of them is in memory."""
    path = folder / f"w2-wide-{'current' if drifted else 'baseline'}-{rows}x{columns}.parquet"
    if path.exists():
        return path
    random, part = np.random.default_rng([SEED, columns, int(drifted)]), path.with_suffix(".part")
    first = _group(random, min(GROUP_ROWS, rows), columns, drifted)
    # Hardly a float occurs twice, so that a dictionary of them would only cost time.
    repeated = [name for name in names(columns) if name.startswith("integer")]
    with pq.ParquetWriter(part, first.schema, use_dictionary=repeated) as writer:
        writer.write_table(first)
        for start in range(GROUP_ROWS, rows, GROUP_ROWS):
            writer.write_table(_group(random, min(GROUP_ROWS, rows - start), columns, drifted))
    return part.replace(path)


def _group(random: Any, rows: int, columns: int, moved: bool) -> pa.Table:
    made: dict[str, Any] = {}
    for name in names(columns):
        floats = name.startswith("float")
        made[name] = random.standard_normal(rows, np.float32) if floats else random.integers(0, 1000, rows, np.int16)
    if moved:
        shifted, wider, integer = drifted(columns)
        made[shifted] += np.float32(0.5)
        made[wider] *= np.float32(1.5)
        made[integer] += np.int16(150)
    return pa.table(made)
