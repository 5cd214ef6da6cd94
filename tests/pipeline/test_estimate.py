"""Estimates without labels, end to end: from a baseline's calibration to a window's estimate and its check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.engine.attributes import OutputAttributes
from driftline.monitors.quality.binary import BinaryQuality
from driftline.monitors.quality.binary_estimation import calibration_document, estimate
from driftline.monitors.quality.estimation import estimate_document, held_against
from driftline.pipeline import (
    ModelQualityRun,
    RunResult,
    baseline_model_quality,
    read_calibration,
    run_model_quality,
)
from driftline.serving.runtime import load_model
from driftline.testing import START, capture, write_captures, write_labels

THRESHOLD = 0.3


def predictions(n: int, seed: int, *, flipped: bool = False) -> tuple[Any, Any]:
    """Scores that are true probabilities, and labels drawn from them (or, flipped, from what is left)."""
    random = np.random.default_rng(seed)
    scores = random.beta(1, 3, n)
    return scores, (random.random(n) < (1 - scores if flipped else scores)).astype(int)


def calibration_of(scores: Any, labels: Any, folder: Path) -> dict[str, Any] | None:
    table = pa.table({"p": scores, "label": labels})
    baseline = baseline_model_quality(table, probability="p", threshold=THRESHOLD, now=START)
    paths = baseline.write(folder)
    return read_calibration(paths[0].read_bytes(), str(paths[0]))


def run_of(
    folder: Path, scores: Any, labels: Any | None, calibration: dict[str, Any] | None, **options: Any
) -> RunResult:
    records = [capture(repr(float(score)), f"e{i}", inference_id=f"i{i}") for i, score in enumerate(scores)]
    write_captures(folder / "captures", records)
    if labels is not None:
        write_labels(folder / "labels", {f"i{i}": str(label) for i, label in enumerate(labels)})
    run = ModelQualityRun(
        captures=str(folder / "captures"),
        labels=None if labels is None else str(folder / "labels"),
        problem_type="BinaryClassification",
        attributes=OutputAttributes(probability="0", probability_threshold=options.pop("threshold", THRESHOLD)),
        calibration=calibration,
        **options,
    )
    return run_model_quality(run, now=START)


def test_before_labels_arrive_there_is_an_estimate_and_no_verdict(tmp_path: Path) -> None:
    calibration = calibration_of(*predictions(3000, 1), tmp_path / "baseline")
    scores, labels = predictions(2000, 2)
    early = run_of(tmp_path / "early", scores, None, calibration)
    assert early.judgement.verdict is Verdict.UNKNOWN
    assert early.judgement.reasons[0].code == "no_labels"
    assert early.estimate is not None
    assert early.estimate["is_estimate"]
    assert early.estimate["conditions"] == []
    assert "within" not in early.estimate
    late = run_of(tmp_path / "late", scores, labels, calibration)
    assert late.estimate is not None
    assert late.estimate["metrics"] == early.estimate["metrics"]
    assert late.statistics["estimated_binary_classification_metrics"] == late.estimate
    for name, inside in late.estimate["within"].items():
        bounds = late.estimate["metrics"][name]
        assert inside == (bounds["lower"] <= late.metrics[name] <= bounds["upper"])


def batch_of(scores: Any, labels: Any) -> pa.RecordBatch:
    nothing = pa.nulls(len(scores), pa.string())
    columns = {"id": nothing, "row": np.arange(len(scores)), "score": scores, "prediction": nothing, "label": labels}
    return pa.RecordBatch.from_pydict(columns)


def test_the_truth_lies_within_the_estimate_at_the_stated_rate() -> None:
    repeats, inside = 60, dict.fromkeys(("accuracy", "recall", "precision", "f2", "auc"), 0)
    for repeat in range(repeats):
        known, window = predictions(3000, 1000 + 2 * repeat), predictions(2000, 1001 + 2 * repeat)
        first, second = BinaryQuality(threshold=THRESHOLD), BinaryQuality(threshold=THRESHOLD, estimating=True)
        baseline = first.distribution(first.update(batch_of(*known)))
        calibration = calibration_document(baseline, threshold=THRESHOLD, seed=0)
        state = second.update(batch_of(*window))
        decided = second.distribution(state, decided=True)
        found = estimate_document(estimate(calibration, decided, threshold=THRESHOLD, seed=0))
        within = held_against(found, second.result(state).metrics)
        for name in inside:
            inside[name] += bool(within[name])
    # Three binomial standard deviations of 60 repeats below the stated 95 %.
    assert min(inside.values()) / repeats >= 0.95 - 3 * (0.95 * 0.05 / repeats) ** 0.5


def test_half_of_the_labels_do_not_check_an_estimate(tmp_path: Path) -> None:
    calibration = calibration_of(*predictions(3000, 1), tmp_path / "baseline")
    scores, labels = predictions(1000, 3)
    found = run_of(tmp_path, scores, labels[:500], calibration)
    assert found.counts["matched"] == 500
    assert found.estimate is not None
    assert found.estimate["rows"] == 1000
    assert "within" not in found.estimate


def test_concept_drift_is_seen_once_labels_have_contradicted_the_estimate(tmp_path: Path) -> None:
    calibration = calibration_of(*predictions(3000, 1), tmp_path / "baseline")
    history: tuple[dict[str, bool | None], ...] = ()
    for window in range(4):
        scores, labels = predictions(1000, 10 + window, flipped=True)
        found = run_of(tmp_path / str(window), scores, labels, calibration, history=history)
        assert found.estimate is not None
        if found.estimate["conditions"]:
            break
        history += (found.estimate["within"],)
    assert [condition["code"] for condition in found.estimate["conditions"]] == ["estimate_contradicted"]
    assert found.estimate["metrics"] == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scores": lambda scores: scores**8}, "score_drift"),
        ({"scores": lambda scores: scores * 3}, "not_probabilities"),
        ({"scores": lambda scores: scores[:50]}, "too_few_rows"),
        ({"threshold": 0.6}, "other_threshold"),
    ],
)
def test_a_broken_condition_makes_it_unknown(change: dict[str, Any], code: str, tmp_path: Path) -> None:
    calibration = calibration_of(*predictions(3000, 1), tmp_path / "baseline")
    scores, _ = predictions(1000, 4)
    changed = change.pop("scores", lambda scores: scores)(scores)
    found = run_of(tmp_path, changed, None, calibration, **change)
    assert found.estimate is not None
    assert code in [condition["code"] for condition in found.estimate["conditions"]]
    assert found.estimate["metrics"] == {}


def test_a_baseline_that_cannot_calibrate_says_why(tmp_path: Path) -> None:
    calibration = calibration_of(*predictions(60, 1), tmp_path / "baseline")
    assert calibration is not None
    assert calibration["unusable"]["code"] == "baseline_too_small"
    found = run_of(tmp_path, predictions(500, 2)[0], None, calibration)
    assert found.estimate is not None
    assert [condition["code"] for condition in found.estimate["conditions"]] == ["baseline_too_small"]


def test_statistics_without_a_calibration_give_none() -> None:
    assert read_calibration(b"{}", "statistics.json") is None
    assert read_calibration(json.dumps({"binary_classification_metrics": {}}).encode(), "statistics.json") is None
    with pytest.raises(InputError, match=r"is no statistics\.json"):
        read_calibration(b"[1", "statistics.json")


def test_on_held_out_customers_of_the_churn_model(published: Path, tmp_path: Path) -> None:
    data = np.loadtxt(published / "churn" / "validation.csv", delimiter=",")
    model = load_model(published / "churn" / "xgb-churn-prediction-model.json")
    scores = np.asarray(model.predict(data[:, 1:].astype(np.float32)), dtype=np.float64)
    labels = data[:, 0].astype(int)
    inside = total = 0
    for seed in range(8):
        order = np.random.default_rng(seed).permutation(len(labels))
        known, held = order[:333], order[333:]
        folder = tmp_path / str(seed)
        calibration = calibration_of(scores[known], labels[known], folder / "baseline")
        found = run_of(folder, scores[held], labels[held], calibration)
        assert found.estimate is not None
        assert found.estimate["conditions"] == [] or found.estimate["metrics"] == {}
        judged = [value for value in found.estimate.get("within", {}).values() if value is not None]
        inside, total = inside + sum(judged), total + len(judged)
    # 95 % is stated; the metrics of a split are strongly correlated, so eight splits tell within about 10 points.
    assert total >= 40
    assert inside / total >= 0.85
