"""W5 with driftline's explainer: exact values of every row."""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow.parquet as pq
from metrics import say

from driftline.serving.explain.explainer import open_explainer

start = time.perf_counter()
rows = np.stack([column.to_numpy() for column in pq.read_table(sys.argv[2]).columns], axis=1)
explainer = open_explainer(sys.argv[1])
explainer.explain(rows[:1])
began = time.perf_counter()
found = explainer.explain(rows)
took = time.perf_counter() - began
ranking = np.abs(found.values[:, :, 0]).mean(axis=0)
off = np.abs(found.values.sum(axis=1) + explainer.expected - found.scores).max()
say({"rate": len(rows) / took, "ranking": ranking.tolist(), "off": float(off)}, start)
