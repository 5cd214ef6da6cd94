"""W1 with scikit-learn: the metric functions of its guide on columns of a data frame."""

from __future__ import annotations

import sys
import time

import pandas as pd
from metrics import say
from sklearn import metrics as sk

start = time.perf_counter()
frame = pd.read_parquet(sys.argv[1])
label, prediction = frame["label"], frame["prediction"]
tn, fp, fn, tp = (int(count) for count in sk.confusion_matrix(label, prediction).ravel())
say(
    {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "accuracy": float(sk.accuracy_score(label, prediction)),
        "precision": float(sk.precision_score(label, prediction)),
        "recall": float(sk.recall_score(label, prediction)),
        "true_negative_rate": float(sk.recall_score(label, prediction, pos_label=0)),
        "f0_5": float(sk.fbeta_score(label, prediction, beta=0.5)),
        "f1": float(sk.f1_score(label, prediction)),
        "f2": float(sk.fbeta_score(label, prediction, beta=2)),
        "auc": float(sk.roc_auc_score(label, frame["probability"])),
    },
    start,
)
