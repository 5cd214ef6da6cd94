"""``driftline baseline bias`` and ``driftline check bias``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.testing import capture, write_captures, write_labels


def write(path: Path, gap: float, seed: int) -> Path:
    random = np.random.default_rng(seed)
    tin = random.random(1500) < 0.4
    paid = random.random(1500) < 0.5
    score = random.normal(0.3 + 0.4 * paid - gap * tin, 0.15)
    lines = [f"{'tin' if t else 'gold'},{p:d},{s:.4f}" for t, p, s in zip(tin, paid, score, strict=True)]
    path.write_text("plan,paid,score\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def baseline(cli: Callable[..., Any], tmp_path: Path) -> Path:
    data = write(tmp_path / "then.csv", 0.1, 1)
    columns = ("--label", "paid", "--positive", "1", "--facet", "plan=tin", "--probability", "score")
    done = cli("baseline", "bias", str(data), *columns, "--threshold", "0.5", "-o", str(tmp_path / "base"))
    assert done.code == 0
    assert "DPPL" in done.out
    assert "Group variable is empty or not provided" in done.out
    return tmp_path / "base"


def test_a_check_needs_only_the_folder_of_the_baseline(cli: Callable[..., Any], baseline: Path, tmp_path: Path) -> None:
    same = write(tmp_path / "same.csv", 0.1, 2)
    done = cli("check", "bias", "--data", str(same), "--analysis", str(baseline))
    assert (done.code, done.out.split()[:2]) == (0, ["✓", "OK"])
    worse = write(tmp_path / "worse.csv", 0.4, 3)
    report = tmp_path / "report"
    done = cli("check", "bias", "--data", str(worse), "--analysis", str(baseline / "analysis.json"), "-o", str(report))
    assert done.code == 1
    assert "DPPL of plan tin: Value" in done.out
    assert (report / "constraint_violations.json").is_file()


def test_json_has_verdict_violations_and_reasons(cli: Callable[..., Any], baseline: Path, tmp_path: Path) -> None:
    worse = write(tmp_path / "worse.csv", 0.4, 3)
    done = cli("check", "bias", "--data", str(worse), "--analysis", str(baseline), "--json", "--rule", "plain")
    found = json.loads(done.out)
    assert (done.code, found["verdict"], found["item_count"]) == (1, "VIOLATED", 1500)
    assert {"DI", "DPPL"} <= {one["metric_name"] for one in found["violations"]}
    assert found["reasons"][0]["code"] == "not_compared"


def test_too_few_rows_give_no_verdict(cli: Callable[..., Any], baseline: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("plan,paid,score\ngold,1,0.9\ntin,0,0.2\n")
    done = cli("check", "bias", "--data", str(few), "--analysis", str(baseline))
    assert done.code == 3
    assert "too_few_rows" in done.out


def test_the_originals_configuration_is_read_and_what_it_ignores_is_said(
    cli: Callable[..., Any], tmp_path: Path
) -> None:
    data = write(tmp_path / "then.csv", 0.1, 1)
    config = tmp_path / "analysis_config.json"
    given = {
        "dataset_type": "text/csv",
        "dataset_uri": "s3://bucket/data",
        "label": "paid",
        "label_values_or_threshold": [1],
        "probability_threshold": 0.5,
        "facet": [{"name_or_index": "plan", "value_or_threshold": ["tin"]}],
        "methods": {"pre_training_bias": {"methods": ["CI", "DPL"]}},
    }
    config.write_text(json.dumps(given))
    done = cli("baseline", "bias", str(data), "--config", str(config), "-o", str(tmp_path / "base"), "--json")
    assert done.code == 0
    assert "dataset_uri" in done.err
    document = json.loads((tmp_path / "base" / "analysis.json").read_text())
    (facet,) = document["pre_training_bias_metrics"]["facets"]["plan"]
    assert [metric["name"] for metric in facet["metrics"]] == ["CI", "DPL"]


def test_a_column_that_is_not_there_is_named(cli: Callable[..., Any], tmp_path: Path) -> None:
    data = write(tmp_path / "then.csv", 0.1, 1)
    done = cli("baseline", "bias", str(data), "--label", "y", "--positive", "1", "--facet", "plan", "-o", str(tmp_path))
    assert done.code == 2
    assert "no label column 'y'" in done.err


def test_captures_are_joined_with_labels(cli: Callable[..., Any], baseline: Path, tmp_path: Path) -> None:
    """The rows of a table as captures with labels: the same numbers, and the names of the baseline's columns."""
    table = write(tmp_path / "worse.csv", 0.4, 3)
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    records = [capture(score, f"e{n}", inference_id=str(n), request=plan) for n, (plan, _, score) in enumerate(rows)]
    write_captures(tmp_path / "captures", records)
    write_labels(tmp_path / "labels", {str(n): paid for n, (_, paid, _) in enumerate(rows)})
    asked = ("check", "bias", "--analysis", baseline, "--probability-attribute", "0", "--json")
    folders = ("--captures", tmp_path / "captures", "--labels", tmp_path / "labels", "-o", tmp_path / "report")
    found, wanted = (cli(*asked, *given) for given in (folders, ("--data", table)))
    assert (found.code, wanted.code) == (1, 1)
    values = [
        {one["metric_name"]: one["value"] for one in json.loads(done.out)["violations"]} for done in (found, wanted)
    ]
    assert values[0] == pytest.approx(values[1])
    assert (tmp_path / "report" / "report.html").is_file()


def test_nothing_to_check_says_what_to_give(cli: Callable[..., Any], baseline: Path) -> None:
    done = cli("check", "bias", "--analysis", baseline)
    assert done.code == 2
    assert "--captures DIR --labels DIR, or --data FILE" in done.err
