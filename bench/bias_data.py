"""A seeded table for W4: labels and predictions of which one sex and some regions fare worse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from data import SEED

_REGIONS = ("north", "south", "east", "west", "abroad")


def table(folder: Path, rows: int) -> Path:
    """A Parquet file of ``sex``, ``region``, ``label`` and ``predicted``; made once."""
    path = folder / f"w4-{rows}.parquet"
    if path.exists():
        return path
    random = np.random.default_rng(SEED)
    woman, region = random.random(rows) < 0.45, random.integers(0, len(_REGIONS), rows)
    label = random.random(rows) < np.where(woman, 0.3, 0.38) + 0.03 * region
    right = random.random(rows) < np.where(woman, 0.8, 0.86)
    columns = {
        "sex": pa.array(["m", "f"]).take(pa.array(woman.astype(np.int64))),
        "region": pa.array(_REGIONS).take(pa.array(region)),
        "label": pa.array(label.astype(np.int64)),
        "predicted": pa.array(np.where(right, label, ~label).astype(np.int64)),
    }
    part = path.with_suffix(".part")
    pq.write_table(pa.table(columns), part)
    return part.rename(path)
