"""W1 with Spark."""

from __future__ import annotations

import sys
import time

from metrics import say
from spark_quality import quality, session

start = time.perf_counter()
spark = session()
found = quality(spark.read.parquet(sys.argv[1]))
say(found, start)
spark.stop()
