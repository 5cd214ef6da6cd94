"""W1 with deepchecks: the single-dataset performance check with scorers, and predictions made beforehand."""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import ConfusionMatrixReport, SingleDatasetPerformance
from metrics import say

start = time.perf_counter()
frame = pd.read_parquet(sys.argv[1])
score = frame["probability"].to_numpy()
given = {"y_pred": frame["prediction"].to_numpy(), "y_proba": np.column_stack([1 - score, score])}
dataset = Dataset(frame[["probability", "label"]], label="label", cat_features=[], label_type="binary")
names = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1", "auc": "roc_auc"}
found = SingleDatasetPerformance(scorers=list(names.values())).run(dataset, model_classes=[0, 1], **given)
ConfusionMatrixReport().run(dataset, model_classes=[0, 1], **given)
values = dict(zip(found.value["Metric"], found.value["Value"], strict=True))
say({ours: float(values[theirs]) for ours, theirs in names.items() if theirs in values}, start)
