"""The metrics with Spark on this machine: counts by an aggregate, the area by the evaluator of its library."""

from __future__ import annotations

from typing import Any

from metrics import of_counts
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.sql import SparkSession
from pyspark.sql import functions as f


def session() -> Any:
    """Two threads and 2 GB, no web page, quiet."""
    builder = SparkSession.builder.master("local[2]").appName("bench").config("spark.ui.enabled", "false")
    started = (
        builder.config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    started.sparkContext.setLogLevel("ERROR")
    return started


def quality(frame: Any) -> dict[str, float | None]:
    """The metrics of a data frame of (probability, prediction, label); it is kept for the second pass.

    The evaluator's default cuts the curve into 1000 pieces, so its area is close but not exact.
    """
    frame = frame.cache()
    counts = {
        (row["label"], row["prediction"]): row["rows"]
        for row in frame.groupBy("label", "prediction").agg(f.count("*").alias("rows")).collect()
    }
    evaluator = BinaryClassificationEvaluator(rawPredictionCol="probability", labelCol="label")
    area = evaluator.evaluate(frame)
    tp, fp, fn, tn = (counts.get(key, 0) for key in ((1, 1), (0, 1), (1, 0), (0, 0)))
    return of_counts(tp, fp, fn, tn, float(area))
