"""W2 with Spark: all statistics in one pass, quantiles and categories in one more each, distances from those.

The cumulative shares are compared at the quantiles that ``percentile_approx`` finds, 101 of each table, as the
service's own job compares sketches. A column has drifted when the largest difference is over the service's 0.1.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from metrics import say
from pyspark.sql import functions as f
from spark_quality import session

start = time.perf_counter()
LIMIT = 0.1
SHARES = np.linspace(0, 1, 101)
ACCURACY = 2000


def statistics(frame: Any, numbers: list[str], texts: list[str]) -> dict[str, dict[str, Any]]:
    """The statistics of every column in one aggregate."""
    wanted = {"count": f.count, "distinct": f.approx_count_distinct}
    numeric = {"min": f.min, "max": f.max, "mean": f.mean, "sd": f.stddev_pop}
    asked = [(name, key, of) for name in numbers for key, of in {**wanted, **numeric}.items()]
    asked += [(name, key, of) for name in texts for key, of in wanted.items()]
    row = frame.agg(f.count("*"), *(of(name) for name, _, of in asked)).first()
    found: dict[str, dict[str, Any]] = {name: {} for name in numbers + texts}
    for (name, key, _), value in zip(asked, row[1:], strict=True):
        found[name][key] = value
    for one in found.values():
        one["missing"] = row[0] - one["count"]
    return found


def quantiles(frame: Any, names: list[str]) -> list[Any]:
    """The same quantiles of every column of numbers."""
    shares = f.array(*(f.lit(float(share)) for share in SHARES))
    row = frame.agg(*(f.percentile_approx(name, shares, ACCURACY) for name in names)).first()
    return [np.array(values, dtype=float) for values in row]


def categories(frame: Any, names: list[str]) -> dict[str, dict[str, int]]:
    """How often every category occurs, all columns in one pass."""
    pairs = ", ".join(f"'{name}', {name}" for name in names)
    rows = frame.selectExpr(f"stack({len(names)}, {pairs}) AS (name, value)").where("value IS NOT NULL")
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    for name, value, count in rows.groupBy("name", "value").count().collect():
        found[name][value] = count
    return found


def numeric_distance(one: Any, other: Any) -> float:
    """The largest difference of the cumulative shares that the quantiles of two tables give."""
    points = np.union1d(one, other)
    sides = (np.interp(points, *_steps(values)) for values in (one, other))
    return float(np.abs(np.subtract(*sides)).max())


def _steps(values: Any) -> tuple[Any, Any]:
    """A quantile that stands for several shares is the value at the largest of them."""
    points, places = np.unique(values[::-1], return_index=True)
    return points, SHARES[::-1][places]


def category_distance(one: dict[str, int], other: dict[str, int]) -> float:
    """The largest difference of the shares of a category."""
    all_one, all_other = sum(one.values()), sum(other.values())
    return max(abs(one.get(key, 0) / all_one - other.get(key, 0) / all_other) for key in one.keys() | other.keys())


spark = session()
baseline, current = (spark.read.parquet(path) for path in sys.argv[1:3])
texts = [name for name, kind in baseline.dtypes if kind == "string"]
numbers = [name for name in baseline.columns if name not in texts]
columns = statistics(current, numbers, texts)
pairs = zip(numbers, quantiles(current, numbers), quantiles(baseline, numbers), strict=True)
distances = {name: numeric_distance(one, other) for name, one, other in pairs}
counts, known = categories(current, texts), categories(baseline, texts)
distances |= {name: category_distance(counts[name], known[name]) for name in texts}
for one in columns.values():
    one.pop("distinct")  # an estimate, which would not agree
drifted = [name for name in columns if distances[name] > LIMIT]
say({"drifted": drifted, "distances": distances, "columns": columns}, start)
spark.stop()
