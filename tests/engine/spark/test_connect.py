"""Spark Connect: a server in a process of its own, since one process has either its client or a session of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

CODE = """
import warnings
warnings.simplefilter("ignore")
import numpy as np, pyarrow as pa
from pyspark.sql import SparkSession
from driftline import InputError, baseline_model_quality
from driftline.engine.spark.fold import fold
from driftline.engine.spark.session import open_spark

spark = SparkSession.builder.remote("local[2]").getOrCreate()
assert open_spark() is spark

def main():
    def refuse(batches):
        raise InputError("no column x", hint="name it")
    try:
        fold(spark.range(3), refuse, sum, bytes, len)
    except InputError as error:
        assert (error.what, error.hint) == ("no column x", "name it")
    random = np.random.default_rng(0)
    truth = [None if place % 97 == 0 else int(place % 3 == 0) for place in range(900)]
    table = pa.table({"p": random.random(900), "truth": truth})
    found = [baseline_model_quality(data, label="truth", probability="p") for data in
             (table, spark.createDataFrame(table))]
    for one in found:
        one.statistics["dataset"].pop("evaluation_time")
    assert found[0].statistics == found[1].statistics
    assert found[0].rejects == found[1].rejects
    print("the same")

main()
"""


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("grpc") is None, reason="pip install 'pyspark[connect]'")
def test_a_frame_of_spark_connect_is_measured_as_any_other() -> None:
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    ran = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.strip().endswith("the same")
