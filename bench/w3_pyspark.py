"""W3 with Spark: JSON lines by schema, a join, the metrics."""

from __future__ import annotations

import sys
import time

from metrics import say
from pyspark.sql import functions as f
from spark_quality import quality, session

start = time.perf_counter()
CAPTURE = (
    "captureData STRUCT<endpointInput: STRUCT<data: STRING>, endpointOutput: STRUCT<data: STRING>>, "
    "eventMetadata STRUCT<eventId: STRING, inferenceId: STRING, inferenceTime: STRING>"
)
LABEL = "groundTruthData STRUCT<data: STRING>, eventMetadata STRUCT<eventId: STRING>"

spark = session()
read = spark.read.option("recursiveFileLookup", "true")
captures = (
    read.schema(CAPTURE)
    .json(sys.argv[1])
    .select(
        f.col("eventMetadata.inferenceId").alias("id"),
        f.col("captureData.endpointOutput.data").cast("double").alias("probability"),
    )
)
labels = (
    read.schema(LABEL)
    .json(sys.argv[2])
    .select(f.col("eventMetadata.eventId").alias("id"), f.col("groundTruthData.data").cast("int").alias("label"))
)
joined = captures.join(labels, "id").withColumn("prediction", (f.col("probability") > 0.5).cast("int"))
found = quality(joined.select("probability", "prediction", "label"))
say(found, start)
spark.stop()
