"""W2 with deepchecks: its check of drift by feature, with the condition that its train-test suite puts on it.

It looks at 100,000 rows drawn from each table, as it does by default; it gives no statistics of columns here.
"""

from __future__ import annotations

import sys
import time

import pandas as pd
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import FeatureDrift
from metrics import say

start = time.perf_counter()
LIMIT = 0.2
baseline, current = (pd.read_parquet(path) for path in sys.argv[1:3])
texts = baseline.select_dtypes("object").columns.tolist()
before, now = (Dataset(frame, cat_features=texts) for frame in (baseline, current))
found = FeatureDrift().add_condition_drift_score_less_than().run(before, now)
distances = {name: float(entry["Drift score"]) for name, entry in found.value.items()}
# The condition's default limit is the same for numbers and for categories, and it tells only how many are not below.
drifted = [name for name, distance in distances.items() if distance >= LIMIT]
details = str(found.conditions_results[0].details)
if drifted and f"Failed for {len(drifted)} out of" not in details:
    raise ValueError(f"it says {details}, read were {drifted}")
say({"drifted": drifted, "distances": distances}, start)
