"""W1 with Evidently: its classification preset, as its documentation runs it."""

from __future__ import annotations

import sys
import time

import pandas as pd
from evidently_quality import quality
from metrics import say

start = time.perf_counter()
say(quality(pd.read_parquet(sys.argv[1])), start)
