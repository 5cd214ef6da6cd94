"""Seeded data for the measurements: a table of predictions, a folder of captures, a folder of labels, a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20261122
FEATURES = 20
SEGMENT_BYTES = 64 << 20
_HOUR = "2026/11/22/10"


def table(folder: Path, rows: int) -> Path:
    """``rows`` of (probability, prediction, label) as Parquet: a fifth are positive, scores rank them well, not
    perfectly."""
    path = folder / f"predictions-{rows}.parquet"
    if not path.exists():
        score, label = _scores(rows)
        columns = {"probability": score, "prediction": (score > 0.5).astype(np.int64), "label": label}
        part = path.with_suffix(".part")
        pq.write_table(pa.table(columns), part)
        part.replace(path)
    return path


def captures(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same rows as capture lines of about 500 bytes, and as label lines in another order; the two folders."""
    root = folder / f"world-{rows}"
    done = root / "done"
    captured, labelled = root / "captures" / _HOUR, root / "labels" / _HOUR
    if not done.exists():
        captured.mkdir(parents=True, exist_ok=True)
        labelled.mkdir(parents=True, exist_ok=True)
        score, label = _scores(rows)
        _write_captures(captured, score)
        _write_labels(labelled, label)
        done.touch()
    return root / "captures", root / "labels"


def model(folder: Path) -> Path:
    """An XGBoost model of 100 trees on 20 features, as JSON."""
    path = folder / "model.json"
    if not path.exists():
        import xgboost

        random = np.random.default_rng(SEED)
        features = random.normal(size=(20_000, FEATURES))
        target = (features[:, :5].sum(axis=1) + random.normal(size=len(features)) > 2).astype(int)
        settings = {"objective": "binary:logistic", "max_depth": 6, "seed": 0, "nthread": 2}
        booster = xgboost.train(settings, xgboost.DMatrix(features, target), num_boost_round=100)
        booster.save_model(path)
    return path


def row() -> str:
    """One CSV line of features."""
    return ",".join(f"{value:.4f}" for value in np.random.default_rng(SEED + 1).normal(size=FEATURES))


def inference_id(number: int) -> str:
    """The id of a row, which its capture and its label share."""
    return f"order-{number:09d}"


def _scores(rows: int) -> tuple[Any, Any]:
    random = np.random.default_rng(SEED)
    label = (random.random(rows) < 0.2).astype(np.int64)
    logit = random.normal(size=rows) * 1.2 + 2.4 * label - 1.8
    # A model answers with single precision.
    score = (1 / (1 + np.exp(-logit))).astype(np.float32)
    return np.array([float(str(value)) for value in score]), label


def _write_captures(folder: Path, score: Any) -> None:
    random = np.random.default_rng(SEED + 2)
    size, number, file = 0, 0, None
    for first in range(0, len(score), 10_000):
        chunk = score[first : first + 10_000]
        features = random.normal(size=(len(chunk), FEATURES)) * 100
        texts = [",".join(map("{:.3f}".format, row)) for row in features]
        lines = [_capture_line(first + i, texts[i], value) for i, value in enumerate(chunk)]
        blob = "".join(lines).encode()
        if file is None or size + len(blob) > SEGMENT_BYTES:
            if file is not None:
                file.close()
            file = (folder / f"{number:02d}-00-000-bench.jsonl").open("wb")
            size, number = 0, number + 1
        file.write(blob)
        size += len(blob)
    if file is not None:
        file.close()


def _capture_line(number: int, features: str, score: float) -> str:
    minute, second = divmod(number % 3600, 60)
    return (
        '{"captureData":{"endpointInput":{"data":"' + features + '","encoding":"CSV","observedContentType":"text/csv",'
        '"mode":"INPUT"},"endpointOutput":{"data":"' + str(score) + '","encoding":"CSV",'
        '"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT"}},"eventMetadata":{"eventId":'
        f'"6f1c2a9e-33d0-4b7e-9c51-{number:012x}","inferenceId":"{inference_id(number)}",'
        f'"inferenceTime":"2026-11-22T10:{minute:02d}:{second:02d}Z"}},"eventVersion":"0"}}\n'
    )


def _write_labels(folder: Path, label: Any) -> None:
    order = np.random.default_rng(SEED + 3).permutation(len(label))
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as file:
        for number in order:
            document = {
                "groundTruthData": {"data": str(label[number]), "encoding": "CSV"},
                "eventMetadata": {"eventId": inference_id(int(number))},
                "eventVersion": "0",
            }
            file.write(json.dumps(document, separators=(",", ":")) + "\n")
