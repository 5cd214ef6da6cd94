"""The published churn model and its data: all four monitors say the same by both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import csv as arrow_csv

from driftline.core.analysis_settings import ShapConfig
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload
from driftline.core.window import HOUR, Window
from driftline.engine.attributes import OutputAttributes
from driftline.pipeline import (
    AttributionRun,
    BiasRun,
    DataQualityRun,
    ModelQualityRun,
    Run,
    baseline_model_quality,
)
from driftline.pipeline.bias_tables import baseline_bias
from driftline.pipeline.data_tables import baseline_data_quality
from driftline.testing import START, write_captures, write_labels

ROWS = 300


@pytest.fixture
def runs(published: Path, tmp_path: Path) -> dict[str, Run]:
    """A run of each monitor, held against baselines of the published data, over some of it as captures."""
    table = arrow_csv.read_csv(published / "churn" / "training-dataset-with-header.csv")
    names = tuple(table.schema.names[1:])
    features = np.column_stack([column.to_numpy().astype(float) for column in table.columns[1:]])
    model = published / "churn" / "xgb-churn-prediction-model.json"
    scores = xgboost.Booster(model_file=model).predict(xgboost.DMatrix(features)).astype(float)
    write_some(tmp_path, features, scores, table["Churn"].to_pylist())
    quality = baseline_model_quality(
        published / "churn" / "validation_with_predictions.csv",
        label="label", prediction="prediction", probability="probability", threshold=0.8,
    )  # fmt: skip
    scored = table.append_column("probability", pa.array(scores))
    fair = baseline_bias(
        scored, label="Churn", positive="1", facets=["Account Length>=100"], probability="probability", threshold=0.8
    )
    data = baseline_data_quality(table.drop_columns("Churn"))
    attributes = OutputAttributes("0", 0.8)
    window = Window(START, START + HOUR)
    captures, labels = str(tmp_path / "captures"), str(tmp_path / "labels")
    return {
        "model-quality": ModelQualityRun(
            captures, labels, "BinaryClassification", attributes, quality.constraints, window=window
        ),
        "bias": BiasRun(
            captures, labels, fair.config.bias, attributes, fair.analysis,
            names=names, names_of_inputs=True, window=window,
        ),
        "data-quality": DataQualityRun(captures, data.constraints, data.statistics, names=names, window=window),
        "attribution": AttributionRun(
            captures, ShapConfig(), str(model), names=names, names_of_inputs=True, window=window, rows=100
        ),
    }  # fmt: skip


def write_some(folder: Path, features: Any, scores: Any, labels: list[int]) -> None:
    """Captures in four files, and labels of all but every fifth."""
    records = [
        CaptureRecord(
            CaptureData(
                Payload(",".join(f"{value:g}" for value in row), "CSV", mode="INPUT"),
                Payload(repr(score), "CSV", mode="OUTPUT"),
            ),
            EventMetadata(f"event-{n}", f"order-{n}", inference_time=START + timedelta(seconds=n)),
        )
        for n, (row, score) in enumerate(zip(features[:ROWS], scores[:ROWS].tolist(), strict=True))
    ]
    for part in range(4):
        write_captures(folder / "captures", records[part::4], name=f"part{part}")
    truth = {f"order-{n}": str(label) for n, label in enumerate(labels[:ROWS]) if n % 5}
    write_labels(folder / "labels", truth, collected=START)


@pytest.mark.shared
def test_all_monitors_of_the_published_model(
    runs: dict[str, Run],
    engine: Callable[[Run], Run],
    documents: Callable[[Run], dict[str, Any]],
    assert_same: Callable[[Any, Any], None],
) -> None:
    for monitor, run in runs.items():
        wanted = documents(run)
        rows = {"model-quality": 240, "bias": 240, "data-quality": ROWS, "attribution": 100}[monitor]
        assert wanted["result"]["item_count"] == rows, wanted["result"]["judgement"]
        assert_same(documents(engine(run)), wanted)
