"""W3 with driftline's engine for Spark: two threads on this machine, and the report on disk as of any run."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from metrics import say

start = time.perf_counter()
from driftline.core.documents import read_constraints  # noqa: E402 - importing is part of the job
from driftline.engine.attributes import OutputAttributes  # noqa: E402
from driftline.pipeline import ModelQualityRun, run_model_quality  # noqa: E402
from driftline.pipeline.run import SparkSettings  # noqa: E402

captures, labels, constraints, report = sys.argv[1:5]
run_model_quality(
    ModelQualityRun(
        captures=captures,
        labels=labels,
        problem_type="BinaryClassification",
        attributes=OutputAttributes("0", 0.5),
        constraints=read_constraints(Path(constraints).read_bytes(), constraints),
        report=report,
        spark=SparkSettings("local[2]"),
    )
)
family = json.loads(Path(report, "statistics.json").read_text())["binary_classification_metrics"]
matrix = family["confusion_matrix"]
counts = {"tn": matrix["0"]["0"], "fp": matrix["0"]["1"], "fn": matrix["1"]["0"], "tp": matrix["1"]["1"]}
say({**counts, **{name: metric["value"] for name, metric in family.items() if "value" in metric}}, start)
