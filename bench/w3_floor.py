"""W3 by hand: read, join and measure in one DuckDB script, the least that the work costs."""

from __future__ import annotations

import sys
import time

import duckdb
from metrics import of_counts, say

start = time.perf_counter()
QUERY = """
WITH captured AS (
    SELECT eventMetadata.inferenceId AS id, CAST(captureData.endpointOutput."data" AS DOUBLE) AS probability
    FROM read_ndjson($captures, columns = {
        captureData: 'STRUCT(endpointOutput STRUCT("data" VARCHAR))', eventMetadata: 'STRUCT(inferenceId VARCHAR)'})
), labelled AS (
    SELECT eventMetadata.eventId AS id, CAST(groundTruthData."data" AS INTEGER) AS label
    FROM read_ndjson($labels, columns = {
        groundTruthData: 'STRUCT("data" VARCHAR)', eventMetadata: 'STRUCT(eventId VARCHAR)'})
), scores AS (
    SELECT probability, count(*) FILTER (label = 1) AS ones, count(*) FILTER (label = 0) AS zeros
    FROM captured JOIN labelled USING (id) GROUP BY ALL
), ranked AS (
    SELECT *, probability > 0.5 AS positive, sum(zeros) OVER (ORDER BY probability) - zeros AS below FROM scores
)
SELECT coalesce(sum(ones) FILTER (positive), 0), coalesce(sum(zeros) FILTER (positive), 0),
    coalesce(sum(ones) FILTER (NOT positive), 0), coalesce(sum(zeros) FILTER (NOT positive), 0),
    sum(ones * (below + zeros / 2)) / (sum(ones) * sum(zeros))
FROM ranked
"""

database = duckdb.connect(config={"preserve_insertion_order": False})
files = {"captures": f"{sys.argv[1]}/**/*.jsonl", "labels": f"{sys.argv[2]}/**/*.jsonl"}
tp, fp, fn, tn, auc = database.execute(QUERY, files).fetchall()[0]
say(of_counts(int(tp), int(fp), int(fn), int(tn), float(auc)), start)
