"""W2 with NannyML: univariate drift with its defaults, the Jensen–Shannon distance of each of ten chunks.

It gives no statistics of columns here. A column has drifted when most of the ten chunks raise an alert.
"""

from __future__ import annotations

import sys
import time

import nannyml as nml
import pandas as pd
from metrics import say

start = time.perf_counter()
baseline, current = (pd.read_parquet(path) for path in sys.argv[1:3])
texts = baseline.select_dtypes("object").columns.tolist()
names = baseline.columns.tolist()
calculator = nml.UnivariateDriftCalculator(column_names=names, treat_as_categorical=texts)
calculator.fit(baseline)
table = calculator.calculate(current).filter(period="analysis").to_df()
alerts = {name: float(table[(name, "jensen_shannon", "alert")].mean()) for name in names}
distances = {name: float(table[(name, "jensen_shannon", "value")].mean()) for name in names}
drifted = [name for name, share in alerts.items() if share > 0.5]
say({"drifted": drifted, "distances": distances}, start)
