"""What the journeys of every client share: the published data, and waiting for what will be."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHURN = Path(os.environ.get("DRIFTLINE_TEST_CHURN", "churn"))
BUCKET = "journeys-us-east-1"
ROLE = "arn:aws:iam::000000000000:role/journeys"
SECONDS = 180.0
"""How long anything is waited for; what is there earlier is taken at once."""
FINISHED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
INPUT_ROWS = CHURN / "test-dataset-input-cols.csv"
TRAINING = CHURN / "training-dataset-with-header.csv"
SCORED = CHURN / "validation_with_predictions.csv"
MODEL = CHURN / "xgb-churn-prediction-model.tar.gz"


def impatient() -> None:
    """Let clients that look every half a minute look twice a second."""
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.5))  # type: ignore[assignment]


def until(look: Callable[[], Any], what: str) -> Any:
    """The first thing that is true."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"no {what} within {SECONDS:g} s")


def rows() -> list[str]:
    """The rows that the model is asked for, each a line of CSV."""
    return INPUT_ROWS.read_text().splitlines()


def label_lines(ids: list[str]) -> bytes:
    """Ground truth of predictions: of three, one is positive, whatever was predicted."""
    records = (
        {
            "groundTruthData": {"data": "1" if place % 3 == 0 else "0", "encoding": "CSV"},
            "eventMetadata": {"eventId": name},
            "eventVersion": "0",
        }
        for place, name in enumerate(ids)
    )
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def hour() -> str:
    """The folder of the hour that it is."""
    return f"{datetime.now(UTC):%Y/%m/%d/%H}"


def validation_with_header(target: Path) -> Path:
    """The validation rows under the training data's header: the label, and then the features."""
    header = TRAINING.read_text().splitlines()[0]
    target.write_text(f"{header}\n{(CHURN / 'validation.csv').read_text()}")
    return target


def training_inputs() -> bytes:
    """The training data without its label, which is the first column: what a transform's input is held against."""
    return "".join(line.partition(",")[2] for line in TRAINING.open()).encode()


def mean_row() -> list[float]:
    """The mean of every feature."""
    columns = zip(*(map(float, row.split(",")) for row in rows()), strict=True)
    return [sum(column) / len(column) for column in map(list, columns)]


def told(facts: dict[str, Any]) -> None:
    """Print what a journey saw, at the end."""
    print("what was seen: " + json.dumps(facts, default=str))
