"""W5 with the library shap: ``tree`` values of every row, or ``kernel`` values of the first 300 rows, with 100 samples
a row against one baseline row, their mean; on one thread, as driftline runs its models."""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow.parquet as pq
import shap
import xgboost
from metrics import say

KERNEL_ROWS, SAMPLES = 300, 100
start = time.perf_counter()
booster = xgboost.Booster({"nthread": 1}, model_file=sys.argv[1])
rows = np.stack([column.to_numpy() for column in pq.read_table(sys.argv[2]).columns], axis=1)


def margin(block: np.ndarray) -> np.ndarray:
    return booster.inplace_predict(block, predict_type="margin")


if sys.argv[3] == "tree":
    explain = shap.TreeExplainer(booster).shap_values
else:
    explainer = shap.KernelExplainer(margin, rows.mean(axis=0, keepdims=True))
    rows = rows[:KERNEL_ROWS]

    def explain(block: np.ndarray) -> np.ndarray:
        return explainer.shap_values(block, nsamples=SAMPLES, silent=True)


explain(rows[:1])
began = time.perf_counter()
values = np.asarray(explain(rows)).reshape(len(rows), -1)
took = time.perf_counter() - began
say({"rate": len(rows) / took, "ranking": np.abs(values).mean(axis=0).tolist()}, start)
