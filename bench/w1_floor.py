"""W1 by hand: the same metrics in one DuckDB script, the least that the work costs."""

from __future__ import annotations

import sys
import time

import duckdb
from metrics import of_counts, say

start = time.perf_counter()
QUERY = """
WITH scores AS (
    SELECT probability, prediction = 1 AS positive,
        count(*) FILTER (label = 1) AS ones, count(*) FILTER (label = 0) AS zeros
    FROM read_parquet($file) GROUP BY ALL
), ranked AS (
    SELECT *, sum(zeros) OVER (ORDER BY probability) - sum(zeros) OVER (PARTITION BY probability) AS below,
        sum(zeros) OVER (PARTITION BY probability) AS level
    FROM scores
)
SELECT coalesce(sum(ones) FILTER (positive), 0), coalesce(sum(zeros) FILTER (positive), 0),
    coalesce(sum(ones) FILTER (NOT positive), 0), coalesce(sum(zeros) FILTER (NOT positive), 0),
    sum(ones * (below + level / 2)) / (sum(ones) * sum(zeros))
FROM ranked
"""

tp, fp, fn, tn, auc = duckdb.execute(QUERY, {"file": sys.argv[1]}).fetchall()[0]
say(of_counts(int(tp), int(fp), int(fn), int(tn), float(auc)), start)
