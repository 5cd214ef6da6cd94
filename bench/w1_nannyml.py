"""W1 with NannyML: fitting its performance calculator measures the reference period, so nothing is measured twice."""

from __future__ import annotations

import sys
import time

import nannyml as nml
import pandas as pd
from metrics import say

start = time.perf_counter()
frame = pd.read_parquet(sys.argv[1])
names = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1", "auc": "roc_auc"}
calculator = nml.PerformanceCalculator(
    problem_type="classification_binary",
    y_pred_proba="probability",
    y_pred="prediction",
    y_true="label",
    metrics=[*names.values(), "specificity"],
    chunk_number=1,
)
calculator.fit(frame)
table = calculator.result.to_df()
say({ours: float(table[(theirs, "value")].iloc[0]) for ours, theirs in names.items()}, start)
