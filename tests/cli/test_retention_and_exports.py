"""``driftline retention`` and ``driftline export`` against a service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftline.client import Client
from driftline.resources.retention import Retention
from driftline.testing import capture, write_captures, write_labels

Command = Callable[..., Any]


@pytest.fixture
def churn(cli: Command, url: str, model: Path) -> str:
    assert cli("deploy", "churn", "--model", model).code == 0
    return "churn"


def test_retention_is_set_shown_and_run(cli: Command, churn: str, url: str) -> None:
    done = cli("retention", "set", churn, "--captures", "P30D", "--reports", "P365D", "--originals", "PT6H")
    assert done.code == 0, done.err
    assert "P30D" in done.out
    assert "forever" in done.out
    assert json.loads(cli("retention", "show", churn, "--json").out) == {
        "captures": "P30D",
        "originals": "PT6H",
        "reports": "P365D",
    }
    cli("retention", "set", churn, "--reports", "forever", "--originals", "forever")
    assert json.loads(cli("retention", "show", churn, "--json").out) == {"captures": "P30D"}
    tried = cli("retention", "run", "--dry-run")
    assert tried.code == 0
    assert "0 files with 0 bytes would be deleted" in tried.out
    with Client(url) as client:
        report = client.run_retention()
        assert (report.dry_run, report.files, report.bytes) == (False, 0, 0)
        assert client.set_retention(churn, Retention(labels="P1W")).retention == {"captures": "P30D", "labels": "P1W"}
        assert b"driftline_schedules" in client.prometheus()


def test_what_makes_no_sense_is_refused(cli: Command, churn: str) -> None:
    for arguments, said in (
        (("set", churn, "--captures", "a month"), "not an ISO 8601 duration"),
        (("set", churn, "--captures", "PT1M"), "so short a time"),
        (("set", "nobody", "--captures", "P1D"), "no endpoint nobody"),
    ):
        done = cli("retention", *arguments)
        assert (done.code, said in done.err) == (2, True), done.err


def test_files_for_other_programs_are_written(cli: Command, churn: str, tmp_path: Path) -> None:
    for kind, name in (
        ("prometheus", "prometheus.yml"),
        ("alertmanager", "alertmanager.yml"),
        ("grafana", "driftline-dashboard.json"),
    ):
        done = cli("export", kind, "-o", tmp_path / "out")
        assert done.code == 0, done.err
        assert str(tmp_path / "out" / name) in done.out.splitlines()
        assert (tmp_path / "out" / name).stat().st_size > 100


def test_merged_data_is_written(cli: Command, tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "out" / "merged.parquet"
    write_captures(data / "captures" / "shop" / "AllTraffic", [capture("0.5", "e1"), capture("0.1", "e2")])
    write_labels(data / "labels" / "shop", {"e1": "1"})
    done = cli("export", "merged", "shop", "--data", data, "-o", target, "--start", "2020-01-01", "--json")
    assert (done.code, json.loads(done.out)) == (0, {"rows": 1, "labelled": 1}), done.err
    more = cli("export", "merged", "shop", "--data", data, "-o", target.with_suffix(".jsonl"), "--unlabelled")
    assert "2 rows, 1 with a label" in more.out
    none = cli("export", "merged", "nobody", "--data", data, "-o", target)
    assert (none.code, "no folder" in none.err) == (2, True)
