"""W2 with whylogs: a profile of each table, and its drift scores with its thresholds; only DRIFT counts as drifted."""

from __future__ import annotations

import sys
import time

import pandas as pd
import whylogs as why
from metrics import say
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

start = time.perf_counter()
baseline, current = (why.log(pd.read_parquet(path)).view() for path in sys.argv[1:3])
scores = calculate_drift_scores(target_view=current, reference_view=baseline, with_thresholds=True)
drifted = [name for name, score in scores.items() if score and score["drift_category"] == "DRIFT"]
distances = {name: float(score["statistic"]) for name, score in scores.items() if score}
say({"drifted": drifted, "distances": distances}, start)
