"""``driftline baseline`` and ``driftline check`` as processes: exit codes, where text goes, and what messages say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., tuple[Path, Path]]
OUTPUT = ["--probability-attribute", "0", "--probability-threshold", "0.8"]


def driftline(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "driftline.cli.__main__", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def baseline(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the published rows' own baseline; tests only read it."""
    folder: Path = tmp_path_factory.mktemp("published") / "baseline"
    rows = published / "churn" / "validation_with_predictions.csv"
    done = driftline(
        "baseline", "model-quality", rows, "-o", folder, "--prediction", "prediction", "--probability",
        "probability", "--probability-threshold", "0.8", "--json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["item_count"] == 201
    return folder


def test_the_baseline_is_the_published_one(baseline: Path, published: Path) -> None:
    golden = json.loads((published / "golden" / "model_quality_churn.json").read_bytes())
    found = json.loads((baseline / "constraints.json").read_bytes())["binary_classification_constraints"]
    assert set(found) == set(golden["constraints"])
    for name, wanted in golden["constraints"].items():
        threshold = golden["true_auc"] if name == "auc" else wanted["threshold"]
        assert found[name]["threshold"] == pytest.approx(threshold, abs=1e-12), name
        assert found[name]["comparison_operator"] == wanted["comparison_operator"], name
    statistics = json.loads((baseline / "statistics.json").read_bytes())["binary_classification_metrics"]
    assert statistics["confusion_matrix"] == golden["confusion_matrix"]


def test_ok_is_0(baseline: Path, churn_folders: Make, tmp_path: Path) -> None:
    captures, labels = churn_folders()
    done = driftline(
        "check", "model-quality", "--captures", captures, "--labels", labels, "--constraints",
        baseline / "constraints.json", *OUTPUT, "-o", tmp_path / "report", "--json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert (result["verdict"], result["violations"], result["item_count"]) == ("OK", [], 201)
    assert (tmp_path / "report" / "statistics.json").is_file()


def test_violated_is_1(baseline: Path, churn_folders: Make) -> None:
    captures, labels = churn_folders(flipped=0.7)
    done = driftline(
        "check", "model-quality", "--captures", captures, "--labels", labels, "--constraints",
        baseline / "constraints.json", *OUTPUT,
    )  # fmt: skip
    assert done.returncode == 1
    assert "VIOLATED" in done.stdout
    assert "was LessThanThreshold '0.625'" in done.stdout


def test_no_verdict_is_3_with_a_checklist(baseline: Path, churn_folders: Make) -> None:
    captures, _ = churn_folders(labelled=False)
    done = driftline(
        "check", "model-quality", "--captures", captures, "--constraints", baseline / "constraints.json", *OUTPUT,
    )  # fmt: skip
    assert done.returncode == 3
    assert "UNKNOWN" in done.stdout
    assert "labels looked for in: nowhere: no label folder was given" in done.stdout
    done = driftline(
        "check", "model-quality", "--captures", captures, *OUTPUT,
        "--start", "2020-01-01T00:00Z", "--end", "2020-01-01T01:00Z",
    )  # fmt: skip
    assert done.returncode == 3
    assert "no captured prediction in the window (2020-01-01 00:00–01:00 UTC)" in done.stdout


def test_a_wrong_operator_is_named_with_its_line(baseline: Path, churn_folders: Make, tmp_path: Path) -> None:
    captures, labels = churn_folders()
    edited = tmp_path / "edited.json"
    text = (baseline / "constraints.json").read_text()
    edited.write_text(text.replace("LessThanThreshold", "SmallerThan", 1))
    line = 1 + next(n for n, text in enumerate(edited.read_text().split("\n")) if "SmallerThan" in text)
    done = driftline(
        "check", "model-quality", "--captures", captures, "--labels", labels, "--constraints", edited, *OUTPUT
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{edited}, line {line}: constraint recall: 'SmallerThan' is not an operator" in done.stderr
    assert "to do: mend that line" in done.stderr


def test_usage_and_input_errors_are_2(churn_file: Path, tmp_path: Path) -> None:
    done = driftline(
        "baseline", "model-quality", churn_file, "-o", tmp_path / "b", "--label", "truth", "--prediction", "prediction"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "no column 'truth' (label)" in done.stderr
    assert "the columns are: probability, prediction, label" in done.stderr
    done = driftline("check", "model-quality", "--captures", tmp_path / "nowhere", *OUTPUT, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert json.loads(done.stderr)["error"]["code"] == "invalid_input"
    done = driftline("check", "model-quality", "--captures", tmp_path)
    assert done.returncode == 2
    assert "nothing says where the prediction stands" in done.stderr


def test_a_folder_that_cannot_be_written_is_2(churn_file: Path, tmp_path: Path) -> None:
    # A folder stands where the file must go: refused for every user, the superuser too.
    (tmp_path / "taken" / "statistics.json").mkdir(parents=True)
    done = driftline("baseline", "model-quality", churn_file, "-o", tmp_path / "taken", "--prediction", "prediction")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot write" in done.stderr
