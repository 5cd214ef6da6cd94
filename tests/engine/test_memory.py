"""Reading a table holds a part of it, however long it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from driftline.engine.datasets import Dataset


def test_a_parquet_file_is_never_held_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    path = tmp_path / "long.parquet"
    with parquet.ParquetWriter(path, pa.schema([(f"c{i}", pa.float64()) for i in range(20)])) as writer:
        for _ in range(30):
            writer.write_table(pa.table({f"c{i}": random.random(20_000) for i in range(20)}))
    whole = path.stat().st_size
    before = pa.total_allocated_bytes()
    held = max(pa.total_allocated_bytes() - before for _ in Dataset(path).batches())
    assert whole > 90 << 20
    assert held < whole / 5
