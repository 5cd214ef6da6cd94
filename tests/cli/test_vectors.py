"""Probabilities of several classes on the command line: baseline, check of a file, check of captures, schedules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.testing import capture, write_captures, write_labels

Cli = Callable[..., Any]
MULTICLASS = ("--problem-type", "MulticlassClassification")
NAMES = ("cat", "dog", "owl")


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """A folder with a CSV of probabilities and labels, and the later half of them as captures."""
    random = np.random.default_rng(3)
    said = random.dirichlet([1.0, 0.7, 0.5], 800).round(6)
    labels = [NAMES[code] for code in (random.random(800)[:, None] > np.cumsum(said, axis=1)[:, :-1]).sum(axis=1)]
    lines = [",".join([*map(str, row), label]) for row, label in zip(said.tolist(), labels, strict=True)]
    (tmp_path / "baseline.csv").write_text("\n".join(["cat,dog,owl,label", *lines[:400]]) + "\n")
    bodies = [",".join(map(str, row)) for row in said[400:].tolist()]
    write_captures(tmp_path / "captures", [capture(body, f"e{n}") for n, body in enumerate(bodies)])
    write_labels(tmp_path / "labels", {f"e{n}": label for n, label in enumerate(labels[400:])})
    return tmp_path


COLUMNS = [
    ("--probability", "cat,dog,owl"),
    ("--probability", "cat", "--probability", "dog", "--probability", "owl"),
    ("--probability", "cat,dog,owl", "--classes", "cat, dog, owl"),
    ("--probability", "cat,dog,owl", "--classes", "cat", "--classes", "dog", "--classes", "owl"),
]


def baseline(cli: Cli, animals: Path, *columns: str) -> Any:
    return cli(
        "baseline", "model-quality", animals / "baseline.csv", "-o", animals / "baseline", *MULTICLASS, *columns,
        "--tolerance", "3ci", "--json",
    )  # fmt: skip


@pytest.mark.parametrize("columns", COLUMNS, ids=["by comma", "repeated", "with names", "with repeated names"])
def test_a_baseline_of_several_columns(cli: Cli, animals: Path, columns: tuple[str, ...]) -> None:
    done = baseline(cli, animals, *columns)
    assert (done.code, done.err) == (0, "")
    suggested = json.loads(done.out)["suggested"]["multiclass_classification_constraints"]
    assert "roc_auc_ovr" in suggested
    statistics = json.loads((animals / "baseline" / "statistics.json").read_bytes())
    assert statistics["multiclass_classification_metrics"]["classes"] == list(NAMES)


def test_captures_are_estimated_and_checked(cli: Cli, animals: Path) -> None:
    assert baseline(cli, animals, *COLUMNS[0]).code == 0
    common = (
        "check", "model-quality", "--captures", animals / "captures", *MULTICLASS, "--probability-attribute", "0-2",
        "--classes", ",".join(NAMES), "--constraints", animals / "baseline" / "constraints.json",
        "--statistics", animals / "baseline" / "statistics.json",
    )  # fmt: skip
    early = cli(*common)
    assert early.code == 3
    assert "estimated without labels from 400 predictions (no measurement)" in early.out
    late = cli(*common, "--labels", animals / "labels", "--json")
    found = json.loads(late.out)
    assert (late.code, found["verdict"]) == (0, "OK")
    assert found["metrics"]["log_loss"] > 0
    assert set(found["estimate"]["within"]) == set(found["estimate"]["metrics"])


def test_a_file_is_checked(cli: Cli, animals: Path) -> None:
    assert baseline(cli, animals, *COLUMNS[0]).code == 0
    constraints = animals / "baseline" / "constraints.json"
    done = cli("check", "model-quality", "--data", animals / "baseline.csv", "--constraints", constraints, *COLUMNS[1])
    assert done.code == 0
    assert "log_loss" in done.out


WRONG = [
    (("--probability", "cat"), "which class each probability belongs to"),
    (("--probability", "cat,dog", "--classes", "a,b,c"), "2 probability columns and 3 classes"),
    (("--probability", "cat,dog", "--classes", "a,a"), "named twice"),
    (("--classes", "a,b"), "classes are named, but no probabilities"),
]


@pytest.mark.parametrize(("columns", "message"), WRONG)
def test_names_that_do_not_fit_are_one_clear_error(
    cli: Cli, animals: Path, columns: tuple[str, ...], message: str
) -> None:
    done = baseline(cli, animals, *columns)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert json.loads(done.err)["error"]["hint"]


def test_a_binary_column_may_have_a_comma_in_its_name(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('"p, %",label\n' + "0.2,0\n0.9,1\n" * 20)
    done = cli("baseline", "model-quality", tmp_path / "t.csv", "-o", tmp_path / "out", "--probability", "p, %")
    assert done.code == 0
    assert "baseline of 40 rows" in done.out


def test_a_schedule_knows_the_classes(cli: Cli, url: str, model: Path) -> None:
    assert cli("deploy", "churn", "--model", model).code == 0
    common = ("schedule", "create", "animals", "--endpoint", "churn", *MULTICLASS, "--probability-attribute")
    done = cli(*common, "0-2", "--json")
    assert done.code == 2
    assert "3 probability columns and 0 classes" in done.err
    done = cli(*common, "0-2", "--classes", ",".join(NAMES), "--json")
    assert (done.code, done.err) == (0, "")
    attributes = json.loads(done.out)["attributes"]
    assert (attributes["probability_attribute"], attributes["classes"]) == ("0-2", list(NAMES))
    assert cli("schedule", "delete", "animals").code == 0
