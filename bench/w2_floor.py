"""W2 by hand in Polars: statistics of every column and its exact distance from the baseline's, the least work.

It says of a column that it drifted when the largest difference of the cumulative shares, or of the categories' shares,
is over ``LIMIT``; a good user of Polars would choose such a number by looking at the data, as was done here.
"""

from __future__ import annotations

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
from metrics import say

start = time.perf_counter()
LIMIT = 0.05
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_DATA = pl.Struct({"data": pl.String})
_RECORD = pl.Schema({"captureData": pl.Struct({"endpointInput": _DATA, "endpointOutput": _DATA})})


def current(path: Path, names: list[str]) -> pl.DataFrame:
    """The current table: a Parquet file, or a folder of capture lines, whose columns get the baseline's names."""
    if path.is_file():
        return pl.read_parquet(path)
    sides = (pl.col("captureData").struct[side].struct["data"] for side in ("endpointOutput", "endpointInput"))
    lines = pl.scan_ndjson(path / "**/*.jsonl", schema=_RECORD).select(pl.concat_str(*sides, separator=","))
    text = io.BytesIO()
    # Written and read as one CSV text: faster than splitting every body and casting every cell.
    lines.collect().write_csv(text, include_header=False, quote_style="never")
    text.seek(0)
    return pl.read_csv(text, has_header=False, new_columns=names)


def numeric(now: pl.Series, before: pl.Series) -> dict[str, Any]:
    """Everything of a column of numbers from its sorted values."""
    values, known = now.drop_nulls().sort(), before.drop_nulls().sort()
    count = len(values)
    # Between two values of the baseline its own share stands still, so the largest difference is at one of them:
    # at the value itself or just before it.
    differences = (
        values.search_sorted(known, side) / count - known.search_sorted(known, side) / len(known)
        for side in ("left", "right")
    )
    return {
        "count": count,
        "missing": len(now) - count,
        "min": values[0],
        "max": values[-1],
        "mean": values.mean(),
        "sd": values.std(ddof=0),
        "distinct": int((values != values.shift()).sum()) + 1,
        "quantiles": [values[round(share * (count - 1))] for share in QUANTILES],
        "distance": max(difference.abs().max() for difference in differences),
    }


def category(now: pl.Series, before: pl.Series) -> dict[str, Any]:
    """Everything of a column of categories from how often each occurs."""
    counts, known = (one.drop_nulls().value_counts() for one in (now, before))
    count, all_known = counts["count"].sum(), known["count"].sum()
    both = counts.join(known, on=now.name, how="full", coalesce=True).fill_null(0)
    return {
        "count": count,
        "missing": len(now) - count,
        "distinct": len(counts),
        "categories": dict(counts.iter_rows()),
        "distance": (both["count"] / count - both["count_right"] / all_known).abs().max(),
    }


def column(name: str) -> dict[str, Any]:
    """One column by its kind."""
    measured = numeric if after[name].dtype.is_numeric() else category
    return measured(after[name], baseline[name])


baseline = pl.read_parquet(sys.argv[1])
after = current(Path(sys.argv[2]), baseline.columns)
with ThreadPoolExecutor(2) as pool:
    found = dict(zip(baseline.columns, pool.map(column, baseline.columns), strict=True))
drifted = [name for name, one in found.items() if one["distance"] > LIMIT]
say({"drifted": drifted, "columns": found}, start)
