"""Probabilities of several classes from a table to a baseline, and from captures to an estimate and its check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.engine.attributes import OutputAttributes
from driftline.monitors.quality.estimation import estimate_of
from driftline.pipeline import (
    ModelQualityRun,
    RunResult,
    baseline_model_quality,
    check_model_quality,
    read_calibration,
    run_model_quality,
)
from driftline.testing import START, capture, write_captures, write_labels

MULTICLASS = "MulticlassClassification"
DIGITS = tuple(map(str, range(10)))


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    """Probabilities and labels of the digits that a model was not trained on."""
    data, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(5).permutation(len(labels))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)).fit(
        data[order[:400]], labels[order[:400]]
    )
    return model.predict_proba(data[order[400:]]), labels[order[400:]]


def frame(said: Any, labels: Any) -> pd.DataFrame:
    return pd.DataFrame(said, columns=list(DIGITS)).assign(label=labels)


def captured(
    folder: Path, said: Any, labels: Any | None, *, kind: str = "csv", rows: int = 1
) -> tuple[str, str | None]:
    """Folders of captures, ``rows`` predictions a request, and of labels if there are any."""
    requests = [range(first, min(first + rows, len(said))) for first in range(0, len(said), rows)]
    bodies = []
    for request in requests:
        values = [said[row].tolist() for row in request]
        if kind == "csv":
            bodies.append("\n".join(",".join(map(repr, value)) for value in values))
        else:
            bodies.append(json.dumps({"predictions": [{"probabilities": value} for value in values]}))
    media = "text/csv" if kind == "csv" else "application/json"
    write_captures(folder / "captures", [capture(body, f"e{n}", content_type=media) for n, body in enumerate(bodies)])
    if labels is None:
        return str(folder / "captures"), None
    truth = {f"e{n}": "\n".join(str(labels[row]) for row in request) for n, request in enumerate(requests)}
    write_labels(folder / "labels", truth)
    return str(folder / "captures"), str(folder / "labels")


def run_of(folders: tuple[str, str | None], path: str, **options: Any) -> RunResult:
    captures, labels = folders
    attributes = OutputAttributes(probability=path, classes=options.pop("classes", DIGITS))
    run = ModelQualityRun(captures, labels, MULTICLASS, attributes, **options)
    return run_model_quality(run, now=START)


def test_a_baseline_then_an_estimate_then_the_truth(digits: tuple[Any, Any], tmp_path: Path) -> None:
    said, labels = digits
    half = len(labels) // 2
    baseline = baseline_model_quality(
        frame(said[:half], labels[:half]), probability=DIGITS, problem_type=MULTICLASS, tolerance="2ci", now=START
    )
    metrics = baseline.statistics["multiclass_classification_metrics"]
    assert metrics["log_loss"]["value"] == pytest.approx(sk.log_loss(labels[:half], said[:half]), abs=1e-9)
    assert metrics["classes"] == list(DIGITS)
    assert "roc_auc_ovr" in baseline.constraints.constraints
    paths = baseline.write(tmp_path / "baseline")
    assert (tmp_path / "baseline" / "report.html").stat().st_size > 1000
    calibration = read_calibration(paths[0].read_bytes(), "statistics.json")
    assert calibration is not None
    given: dict[str, Any] = {"constraints": baseline.constraints, "calibration": calibration}

    early = run_of(captured(tmp_path / "early", said[half:], None), "0-9", **given)
    assert early.judgement.verdict is Verdict.UNKNOWN
    assert [reason.code for reason in early.judgement.reasons] == ["no_labels"]
    assert early.metrics.get("accuracy") is None
    estimate = early.statistics["estimated_multiclass_classification_metrics"]
    assert (estimate["is_estimate"], estimate["conditions"]) == (True, [])
    assert "within" not in estimate
    truth = float(np.mean(said[half:].argmax(axis=1) == labels[half:]))
    bounds = estimate["metrics"]["accuracy"]
    assert bounds["lower"] <= truth <= bounds["upper"]
    assert bounds["upper"] - bounds["lower"] < 0.07

    late = run_of(captured(tmp_path / "late", said[half:], labels[half:]), "0-9", report=str(tmp_path / "r"), **given)
    assert late.judgement.verdict is Verdict.OK
    found = estimate_of(late.statistics)
    assert found["metrics"] == estimate["metrics"]
    assert found["within"]["accuracy"] is True
    assert late.metrics["accuracy"] == pytest.approx(truth)
    assert late.metrics["log_loss"] == pytest.approx(sk.log_loss(labels[half:], said[half:]), abs=1e-9)
    written = json.loads((tmp_path / "r" / "statistics.json").read_text())
    assert written["estimated_multiclass_classification_metrics"]["is_estimate"] is True


PLACES = [
    ("csv", 1, "0"),
    ("csv", 7, "0-9"),
    ("json", 1, "predictions[0].probabilities"),
    ("json", 7, "predictions[*].probabilities"),
    ("json", 7, "predictions[?probabilities].probabilities"),
]


@pytest.mark.parametrize(("kind", "rows", "path"), PLACES)
def test_every_place_gives_the_same_metrics(
    digits: tuple[Any, Any], tmp_path: Path, kind: str, rows: int, path: str
) -> None:
    said, labels = digits[0][:300], digits[1][:300]
    found = run_of(captured(tmp_path, said, labels, kind=kind, rows=rows), path)
    assert (found.item_count, found.rejects) == (300, ())
    assert found.metrics["log_loss"] == pytest.approx(sk.log_loss(labels, said, labels=range(10)), abs=1e-9)
    assert found.metrics["accuracy"] == pytest.approx(np.mean(said.argmax(axis=1) == labels))
    assert found.metrics["roc_auc_ovr"] == pytest.approx(sk.roc_auc_score(labels, said, multi_class="ovr"), abs=1e-9)


def test_other_classes_or_another_order_give_no_estimate(digits: tuple[Any, Any], tmp_path: Path) -> None:
    said, labels = digits
    table = frame(said[:500], labels[:500])
    baseline = baseline_model_quality(table, probability=DIGITS, problem_type=MULTICLASS, now=START)
    calibration = read_calibration(json.dumps(baseline.statistics).encode(), "statistics.json")
    folders = captured(tmp_path, said[500:800], None)
    turned = run_of(folders, "0", calibration=calibration, classes=DIGITS[::-1])
    assert turned.estimate is not None
    assert [one["code"] for one in turned.estimate["conditions"]] == ["other_classes"]
    assert run_of(folders, "0").estimate is None


CANNOT = [
    ("baseline_too_small", slice(0, 150), {}),
    ("weighted_baseline", slice(0, 500), {"weight": "w"}),
    ("calibration_poor", slice(0, 500), {"shifted": True}),
    ("other_classes", slice(0, 500), {"renamed": True}),
]


@pytest.mark.parametrize(("code", "rows", "kind"), CANNOT, ids=[case[0] for case in CANNOT])
def test_baselines_that_give_no_estimate_say_why(
    digits: tuple[Any, Any], tmp_path: Path, code: str, rows: slice, kind: dict[str, Any]
) -> None:
    said, labels = digits[0][rows], digits[1][rows]
    table = frame(said, (labels + 1) % 10 if kind.get("shifted") else labels)
    if kind.get("renamed"):
        table["label"] = table["label"].astype(str).replace("3", "three")
    table["w"] = np.linspace(0.5, 2, len(labels))
    options = {"weight": "w"} if "weight" in kind else {}
    baseline = baseline_model_quality(table, probability=DIGITS, problem_type=MULTICLASS, now=START, **options)
    calibration = read_calibration(json.dumps(baseline.statistics).encode(), "statistics.json")
    found = run_of(captured(tmp_path, digits[0][600:900], None), "0", calibration=calibration)
    assert found.estimate is not None
    assert found.estimate["metrics"] == {}
    assert [one["code"] for one in found.estimate["conditions"]] == [code]


def test_a_table_checked_against_its_own_baseline(digits: tuple[Any, Any]) -> None:
    data, labels = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data[::2], labels[::2])
    said = model.predict_proba(data[1::2])
    names = np.array(["barolo", "grignolino", "barbera"])
    lists = pd.DataFrame({"p": list(said), "label": names[labels[1::2]]})
    options: dict[str, Any] = {"probability": "p", "classes": names.tolist()}
    baseline = baseline_model_quality(lists, problem_type=MULTICLASS, now=START, **options)
    assert baseline.item_count == len(said)
    assert bool(check_model_quality(lists, baseline.constraints, now=START, **options))
    wrong = lists.assign(label=np.roll(lists["label"], 40))
    checked = check_model_quality(wrong, baseline.constraints, now=START, **options)
    assert checked.verdict is Verdict.VIOLATED
    assert "roc_auc_ovr" in {violation.metric_name for violation in checked.violations}
    assert checked._repr_html_().startswith("<iframe")


def test_names_of_classes_are_asked_for(tmp_path: Path, digits: tuple[Any, Any]) -> None:
    table = pd.DataFrame({"p": list(digits[0][:50]), "label": digits[1][:50], "q": digits[0][:50, 0]})
    with pytest.raises(InputError, match="which class each probability belongs to") as error:
        baseline_model_quality(table, probability="p", problem_type=MULTICLASS)
    assert "--classes" in error.value.hint
    with pytest.raises(InputError, match="make no sense for BinaryClassification"):
        baseline_model_quality(table, probability=["p", "q"])
    with pytest.raises(InputError, match="which class each probability belongs to"):
        run_of(captured(tmp_path, digits[0][:5], None), "0", classes=())
    few = baseline_model_quality(table[:3], probability="p", classes=DIGITS, problem_type=MULTICLASS, now=START)
    assert few.item_count == 3
    with pytest.raises(InputError, match="has no row that can be used") as refused:
        baseline_model_quality(table, probability="p", classes=("a", "b"), problem_type=MULTICLASS)
    assert "not one number from 0 to 1 a class" in refused.value.evidence
