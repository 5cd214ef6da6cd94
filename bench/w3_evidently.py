"""W3 with pandas and Evidently: lines parsed and merged in Python, then the classification preset."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from evidently_quality import quality
from metrics import say

start = time.perf_counter()
ids, scores, keys, labels = [], [], [], []
for path in sorted(Path(sys.argv[1]).rglob("*.jsonl")):
    with path.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            ids.append(record["eventMetadata"]["inferenceId"])
            scores.append(float(record["captureData"]["endpointOutput"]["data"]))
for path in sorted(Path(sys.argv[2]).rglob("*.jsonl")):
    with path.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            keys.append(record["eventMetadata"]["eventId"])
            labels.append(int(record["groundTruthData"]["data"]))
captured = pd.DataFrame({"id": ids, "probability": scores})
frame = captured.merge(pd.DataFrame({"id": keys, "label": labels}), on="id")
frame["prediction"] = (frame["probability"] > 0.5).astype(int)
say(quality(frame[["probability", "prediction", "label"]]), start)
