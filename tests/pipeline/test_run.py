"""One run without a service: verdicts, reasons with their checklist, counts, and the files of the report."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import fbeta_score, roc_auc_score

from driftline.core.documents import Constraint, ModelQualityConstraints, read_constraints
from driftline.core.errors import InputError, SetupError
from driftline.core.records import Payload
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.engine.attributes import OutputAttributes
from driftline.pipeline import (
    Baseline,
    ModelQualityRun,
    RunResult,
    baseline_model_quality,
    run_model_quality,
)
from driftline.testing import START, capture, prediction_batch, quality_captures, write_captures, write_labels

Make = Callable[..., tuple[Path, Path]]
COLUMNS = {"label": "label", "prediction": "prediction", "probability": "probability"}


def baseline_of(file: Path) -> Baseline:
    return baseline_model_quality(file, threshold=0.8, now=START, **COLUMNS)


def run_of(
    folders: tuple[Path, Path | None], constraints: ModelQualityConstraints | None = None, **options: Any
) -> RunResult:
    captures, labels = folders
    attributes = options.pop("attributes", OutputAttributes(probability="0", probability_threshold=0.8))
    run = ModelQualityRun(
        captures=str(captures),
        labels=None if labels is None else str(labels),
        problem_type="BinaryClassification",
        attributes=attributes,
        constraints=constraints,
        **options,
    )
    return run_model_quality(run, now=START)


def test_the_baseline_is_the_published_one(churn_file: Path, published: Path, tmp_path: Path) -> None:
    golden = json.loads((published / "golden" / "model_quality_churn.json").read_bytes())
    baseline = baseline_of(churn_file)
    assert (baseline.item_count, baseline.rejects) == (golden["rows"], ())
    family = baseline.statistics["binary_classification_metrics"]
    assert family["confusion_matrix"] == golden["confusion_matrix"]
    assert set(baseline.constraints.constraints) == set(golden["constraints"])
    for name, wanted in golden["constraints"].items():
        found = baseline.constraints.constraints[name]
        threshold = golden["true_auc"] if name == "auc" else wanted["threshold"]
        assert found.threshold == pytest.approx(threshold, abs=1e-12), name
        assert found.comparison_operator == wanted["comparison_operator"], name
        assert family[name]["value"] == found.threshold
    statistics, constraints, _ = baseline.write(tmp_path / "baseline")
    assert json.loads(statistics.read_bytes())["dataset"] == {
        "item_count": 201,
        "evaluation_time": "2026-11-22T10:00:00Z",
    }
    assert read_constraints(constraints.read_bytes(), "c") == baseline.constraints


def test_the_baselines_area_is_that_of_scikit_learn(churn_file: Path) -> None:
    with churn_file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    area = roc_auc_score([int(row["label"]) for row in rows], [float(row["probability"]) for row in rows])
    family = baseline_of(churn_file).statistics["binary_classification_metrics"]
    assert family["auc"]["value"] == pytest.approx(area, abs=1e-12)


def test_the_same_data_meet_their_own_baseline(churn_file: Path, churn_folders: Make, tmp_path: Path) -> None:
    baseline = baseline_of(churn_file)
    result = run_of(churn_folders(), baseline.constraints, report=str(tmp_path / "report"))
    assert (result.judgement.verdict, result.judgement.reasons, result.violations) == (Verdict.OK, (), ())
    for name, metric in baseline.statistics["binary_classification_metrics"].items():
        if "value" in metric:
            assert result.metrics[name] == metric["value"], name
    assert result.counts == {
        "capture_records": 201, "predictions": 201, "duplicate_events": 0, "label_records": 201, "labels": 201,
        "duplicate_labels": 0, "matched": 201, "unlabelled": 0, "judged": 201, "capture_files_read": 1,
    }  # fmt: skip
    assert [step.name for step in result.steps] == ["read captures", "read labels", "merge", "analyse", "check"]
    written = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert written == ["constraint_violations.json", "constraints.json", "report.html", "statistics.json"]
    assert json.loads((tmp_path / "report" / "constraint_violations.json").read_bytes()) == {"violations": []}


def test_flipped_labels_violate_with_the_published_wording(
    churn_file: Path, churn_folders: Make, tmp_path: Path
) -> None:
    result = run_of(churn_folders(flipped=0.7), baseline_of(churn_file).constraints, report=str(tmp_path / "report"))
    assert result.judgement.verdict is Verdict.VIOLATED
    document = json.loads((tmp_path / "report" / "constraint_violations.json").read_bytes())
    by_name = {violation["metric_name"]: violation for violation in document["violations"]}
    assert {"f2", "recall", "accuracy", "auc", "false_negative_rate"} <= set(by_name)
    violation = by_name["f2"]
    assert violation["constraint_check_type"] == "LessThanThreshold"
    assert re.fullmatch(r"Metric f2 with 0\.\d+ \+/- 0\.\d+ was LessThanThreshold '0\.625'", violation["description"])
    assert by_name["false_negative_rate"]["constraint_check_type"] == "GreaterThanThreshold"


def reason_of(result: RunResult, code: str) -> dict[str, str]:
    """The checklist of the one reason, which must have the code."""
    assert result.judgement.verdict is Verdict.UNKNOWN
    (reason,) = result.judgement.reasons
    assert reason.code == code
    assert result.violations == ()
    assert reason.evidence == result.counts
    return dict(reason.checklist)


def test_without_labels_nothing_can_be_said(churn_file: Path, churn_folders: Make, tmp_path: Path) -> None:
    constraints = baseline_of(churn_file).constraints
    captures, labels = churn_folders(labelled=False)
    answers = reason_of(run_of((captures, labels), constraints), "no_labels")
    assert (answers["labels looked for in"], answers["labels found"]) == (str(labels), "0")
    assert answers["predictions that could be read"] == "201"
    answers = reason_of(run_of((captures, None), constraints, report=str(tmp_path / "r")), "no_labels")
    assert answers["labels looked for in"] == "nowhere: no label folder was given"
    assert (tmp_path / "r" / "statistics.json").is_file()
    labels.mkdir()
    reason_of(run_of((captures, labels), constraints), "no_labels")


def test_an_empty_window_says_where_it_looked(churn_file: Path, churn_folders: Make) -> None:
    folders = churn_folders()
    window = Window(START - timedelta(hours=2), START - timedelta(hours=1))
    answers = reason_of(run_of(folders, baseline_of(churn_file).constraints, window=window), "no_captures")
    assert answers["window"] == "2026-11-22 08:00–09:00 UTC"
    assert answers["captures looked for in"] == str(folders[0])
    assert answers["capture records found"] == "0"


def test_labels_of_other_ids_match_nothing(churn_folders: Make, tmp_path: Path) -> None:
    captures, _ = churn_folders(labelled=False)
    write_labels(tmp_path / "others", {"another": "1"})
    answers = reason_of(run_of((captures, tmp_path / "others")), "no_matches")
    assert (answers["labels found"], answers["predictions with a label"]) == ("1", "0")


def test_refused_predictions_and_labels_are_reasons(tmp_path: Path) -> None:
    write_captures(tmp_path / "c", [capture("high", "a"), capture("", "b")])
    write_labels(tmp_path / "l", {"a": "1"})
    answers = reason_of(run_of((tmp_path / "c", tmp_path / "l")), "no_rows")
    assert answers["records refused"] == "1 captures no_value, 1 captures not_a_number"
    write_captures(tmp_path / "c2", [capture("0.5", "a")])
    write_labels(tmp_path / "l2", {"a": "cat"})
    answers = reason_of(run_of((tmp_path / "c2", tmp_path / "l2")), "no_rows")
    assert answers["records refused"] == "1 labels not_a_class"


def test_without_constraints_metrics_are_computed_and_nothing_is_judged(churn_folders: Make) -> None:
    result = run_of(churn_folders())
    assert (result.judgement.verdict, result.judgement.reasons[0].code) == (Verdict.UNKNOWN, "no_constraints")
    assert result.metrics["recall"] == pytest.approx(16 / 28, abs=1e-12)


def test_a_window_takes_its_own_predictions(churn_folders: Make) -> None:
    window = Window(START + timedelta(seconds=100), START + timedelta(seconds=600))
    result = run_of(churn_folders(), window=window)
    assert (result.counts["predictions"], result.item_count) == (50, 50)


def test_labels_after_as_of_are_not_looked_at(churn_folders: Make, tmp_path: Path) -> None:
    captures, _ = churn_folders(labelled=False)
    write_labels(tmp_path / "l", {str(n): "1" for n in range(201)}, collected=START + timedelta(hours=5))
    window = Window(START, START + timedelta(minutes=10))
    for hours, matched in [(6, 60), (5, 60), (3, 0), (-5, 0)]:
        result = run_of((captures, tmp_path / "l"), window=window, as_of=START + timedelta(hours=hours))
        assert result.counts["matched"] == matched
    assert run_of((captures, tmp_path / "l"), window=window).counts["matched"] == 60


def test_repeats_are_counted(tmp_path: Path) -> None:
    record = capture("0.9", "a")
    write_captures(tmp_path / "c", [record, record, capture("0.1", "b"), capture("0.95", "c", inference_id="a")])
    write_labels(tmp_path / "l", {"a": "0"})
    write_labels(tmp_path / "l", {"a": "1"})
    counts = run_of((tmp_path / "c", tmp_path / "l")).counts
    assert counts == {
        "capture_records": 4, "predictions": 3, "duplicate_events": 1, "label_records": 2, "labels": 1,
        "duplicate_labels": 1, "matched": 2, "unlabelled": 1, "judged": 2, "capture_files_read": 1,
    }  # fmt: skip


def test_captures_give_the_figures_of_the_same_rows_in_a_table(tmp_path: Path) -> None:
    batch = prediction_batch(3000, 4)
    write_captures(tmp_path / "c", quality_captures(batch))
    write_labels(
        tmp_path / "l", dict(zip(batch.column("id").to_pylist(), batch.column("label").to_pylist(), strict=True))
    )
    attributes = OutputAttributes(probability="0")
    found = run_of((tmp_path / "c", tmp_path / "l"), attributes=attributes)
    rows = zip(batch.column("score").to_pylist(), batch.column("label").to_pylist(), strict=True)
    (tmp_path / "t.csv").write_text("p,label\n" + "".join(f"{score!r},{label}\n" for score, label in rows))
    baseline = baseline_model_quality(tmp_path / "t.csv", label="label", probability="p", now=START)
    family = baseline.statistics["binary_classification_metrics"]
    for name, value in found.metrics.items():
        if name in ("brier_score_std", "expected_calibration_error_std"):
            assert value is None
        elif not name.endswith("_std"):
            assert value == family[name]["value"], name
        else:
            # The samples are drawn by other ids, so the deviations differ; both are there.
            assert value is not None
            assert math.isfinite(value)


def test_a_run_is_repeatable(churn_file: Path, churn_folders: Make) -> None:
    folders, constraints = churn_folders(), baseline_of(churn_file).constraints
    first, again = run_of(folders, constraints, seed=3), run_of(folders, constraints, seed=3)
    assert first.statistics == again.statistics
    other = run_of(folders, constraints, seed=4)
    assert other.metrics["recall"] == first.metrics["recall"]
    assert other.metrics["recall_std"] != first.metrics["recall_std"]


def test_what_cannot_be_run_is_refused(churn_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        run_of((tmp_path / "nowhere", None))
    with pytest.raises(InputError, match="problem type 'Clustering' is not supported"):
        baseline_model_quality(churn_file, problem_type="Clustering", now=START, **COLUMNS)
    (tmp_path / "t.csv").write_text("probability,prediction,label\n0.1,0,\n0.1,,1\n")
    with pytest.raises(InputError, match="has no row that can be used") as error:
        baseline_of(tmp_path / "t.csv")
    assert "a label is empty" in error.value.evidence


def test_a_folder_that_cannot_be_written_is_an_error_of_the_machine(churn_file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken" / "statistics.json").mkdir(parents=True)
    with pytest.raises(SetupError, match="cannot write"):
        baseline_of(churn_file).write(tmp_path / "taken")


def test_a_folder_under_a_file_is_an_error_of_the_machine(churn_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write"):
        baseline_of(churn_file).write(tmp_path / "file" / "folder")


def test_segments_of_captured_columns_are_ranked(tmp_path: Path) -> None:
    random = np.random.default_rng(12)
    n = 1200
    plans, labels = random.choice(["gold", "tin"], n), random.integers(0, 2, n)
    wrong = random.random(n) < np.where(plans == "tin", 0.4, 0.05)
    scores = np.where(labels ^ wrong, 0.9, 0.1)
    records = []
    for i, (plan, score) in enumerate(zip(plans, scores, strict=True)):
        answer = capture(f"{score}", f"e{i}", time=START + timedelta(seconds=i % 3000))
        answer.capture_data.endpoint_input = Payload(f'{20 + i % 40},"{plan}, paid"', "CSV", "text/csv", "INPUT")
        records.append(answer)
    write_captures(tmp_path / "captures", records)
    write_labels(tmp_path / "labels", {f"e{i}": str(label) for i, label in enumerate(labels)}, collected=START)
    run = ModelQualityRun(
        str(tmp_path / "captures"),
        str(tmp_path / "labels"),
        "BinaryClassification",
        OutputAttributes("0"),
        segments=("plan", "age:30,50"),
        names=("score", "age", "plan"),
        constraints=ModelQualityConstraints("BinaryClassification", {"accuracy": Constraint(0.8, "LessThanThreshold")}),
        report=str(tmp_path / "report"),
    )
    found = run_model_quality(run).statistics["segments"]
    first, second = [one for one in found if one["column"] == "plan"]
    assert (first["segment"], first["rows"], first.get("apart")) == ("tin, paid", int((plans == "tin").sum()), True)
    assert second["rows"] == int((plans == "gold").sum())
    assert (first["violated"], second.get("violated")) == (("accuracy",), None)
    assert "F2 by segment of plan" in (tmp_path / "report" / "report.html").read_text()
    assert sum(one["rows"] for one in found if one["column"] == "age") == n
    chosen = labels[plans == "tin"], (scores > 0.5)[plans == "tin"]
    assert first["value"] == pytest.approx(fbeta_score(*chosen, beta=2), rel=1e-12)


def test_a_segment_of_no_column_is_refused(tmp_path: Path) -> None:
    write_captures(tmp_path / "captures", [capture("0.5", "a")])
    run = ModelQualityRun(
        str(tmp_path / "captures"), None, "BinaryClassification", OutputAttributes("0"), segments=("plan",)
    )
    with pytest.raises(InputError, match="no captured column 'plan'"):
        run_model_quality(run)
