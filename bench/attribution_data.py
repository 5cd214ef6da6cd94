"""Seeded data of W5: a model of 100 trees on 69 features, and rows to explain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20261123
FEATURES = 69
NUMBERS = 19
TREES = 100


def drawn(count: int, seed: int) -> npt.NDArray[np.float64]:
    """Rows of 19 numbers and 50 flags of which one is set, as a table with one column of 50 categories has them."""
    random = np.random.default_rng(seed)
    rows = np.zeros((count, FEATURES), dtype=np.float32)
    rows[:, :NUMBERS] = random.normal(size=(count, NUMBERS))
    rows[np.arange(count), NUMBERS + random.integers(FEATURES - NUMBERS, size=count)] = 1
    return rows.astype(np.float64)


def table(folder: Path, rows: int) -> Path:
    """The rows to explain, as Parquet."""
    path = folder / f"explained-{rows}.parquet"
    if not path.exists():
        names = [f"f{number}" for number in range(FEATURES)]
        pq.write_table(pa.table(list(drawn(rows, SEED + 1).T), names=names), path)
    return path


def model(folder: Path) -> Path:
    """A binary classifier of 100 trees of up to 6 levels, as JSON; pairs of features work together."""
    path = folder / "explained-model.json"
    if not path.exists():
        import xgboost

        rows = drawn(20_000, SEED)
        score = rows[:, :8] @ np.linspace(1, 0.2, 8) + rows[:, 8] * rows[:, 9] + rows[:, NUMBERS : NUMBERS + 10].sum(1)
        target = score + np.random.default_rng(SEED).normal(size=len(rows)) > 0.5
        settings = {"objective": "binary:logistic", "max_depth": 6, "seed": 0, "nthread": 2}
        xgboost.train(settings, xgboost.DMatrix(rows, target), num_boost_round=TREES).save_model(path)
    return path
