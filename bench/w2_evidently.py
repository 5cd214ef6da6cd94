"""W2 with Evidently: its drift and its summary preset in one report, a drift being a distance of its threshold or more.

The kinds of the columns are told, so that it need not guess them; its methods are distances at this number of rows.
"""

from __future__ import annotations

import sys
import time

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset
from metrics import say

start = time.perf_counter()
baseline, current = (pd.read_parquet(path) for path in sys.argv[1:3])
texts = baseline.select_dtypes("object").columns.tolist()
numbers = [name for name in baseline.columns if name not in texts]
kinds = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
now, before = (Dataset.from_pandas(frame, data_definition=kinds) for frame in (current, baseline))
found = Report([DataDriftPreset(), DataSummaryPreset()]).run(now, before).dict()
drifts = [metric for metric in found["metrics"] if metric["metric_name"].startswith("ValueDrift(")]
for metric in drifts:
    if "distance" not in metric["config"]["method"]:
        raise ValueError(f"not a distance: {metric['config']}")
drifted = [metric["config"]["column"] for metric in drifts if metric["value"] >= metric["config"]["threshold"]]
said = next(metric["value"]["count"] for metric in found["metrics"] if metric["metric_name"].startswith("Drifted"))
if said != len(drifted):
    raise ValueError(f"it counts {said} drifted columns, read were {drifted}")
distances = {metric["config"]["column"]: float(metric["value"]) for metric in drifts}
say({"drifted": drifted, "distances": distances}, start)
