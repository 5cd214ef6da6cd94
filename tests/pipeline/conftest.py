"""The published churn example as captures with labels, and its own baseline."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from driftline.testing import START, capture, write_captures, write_labels

Make = Callable[..., tuple[Path, Path]]


@pytest.fixture
def churn_file(published: Path) -> Path:
    """Probability, prediction and label of the 201 published rows."""
    return published / "churn" / "validation_with_predictions.csv"


@pytest.fixture
def churn_folders(churn_file: Path, tmp_path: Path) -> Make:
    """Makes folders of captures and labels of the published rows; labels can be flipped or left out."""

    def make(*, flipped: float = 0.0, labelled: bool = True) -> tuple[Path, Path]:
        with churn_file.open(newline="") as text:
            rows = list(csv.DictReader(text))
        flip = np.random.default_rng(20).random(len(rows)) < flipped
        captured = (
            capture(row["probability"], f"event-{n}", inference_id=str(n), time=START + timedelta(seconds=10 * n))
            for n, row in enumerate(rows)
        )
        write_captures(tmp_path / "captures" / "churn" / "AllTraffic", captured)
        if labelled:
            truth = {str(n): str(int(row["label"]) ^ int(flip[n])) for n, row in enumerate(rows)}
            write_labels(tmp_path / "labels", truth, collected=START + timedelta(hours=1))
        return tmp_path / "captures", tmp_path / "labels"

    return make
