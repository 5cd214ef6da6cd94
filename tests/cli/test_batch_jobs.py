"""``driftline batch`` against a service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from driftline.client import Client

Command = Callable[..., Any]


def test_jobs_are_asked_for_shown_and_stopped(cli: Command, url: str, tmp_path: Path) -> None:
    asked = {"monitor": "data-quality", "dataset": "s3://bucket/rows.csv", "output": "s3://bucket/out"}
    file = tmp_path / "job.json"
    file.write_text(json.dumps({"name": "first", "kind": "baseline", "settings": asked}))
    assert cli("batch", "list").out == "no batch jobs\n"
    done = cli("batch", "start", file, "--json")
    assert (done.code, json.loads(done.out)["name"]) == (0, "first")
    again = cli("batch", "start", file)
    assert (again.code, "the batch job first exists" in again.err) == (2, True)
    with Client(url) as client:
        ended = client.list_batch_jobs(kind="baseline")
        assert [job.settings for job in ended] == [asked]
        assert client.list_batch_jobs(kind="transform") == []
    assert "first" in cli("batch", "list").out
    assert cli("batch", "show", "first").out.startswith("first  baseline  ")
    assert cli("batch", "log", "first").code == 0
    assert cli("batch", "stop", "another").code == 2


def test_a_file_that_describes_no_job_is_refused(cli: Command, url: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    for text, said in (
        ("[1]", "describes no job"),
        ('{"name": "a", "kind": "dance", "settings": {}}', "'dance' is no kind of batch job"),
        ('{"name": "a", "kind": "baseline", "settings": {"monitor": "moods"}}', "no settings of a baseline job"),
    ):
        file.write_text(text)
        done = cli("batch", "start", file)
        assert (done.code, said in done.err) == (2, True), done.err
