"""A secret that goes every way through a real server is in no file of the data folder."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from driftline import capture
from driftline.capture import CaptureSettings, sensitive_column

SECRET = "77123.4567"  # a number, because a model of ours takes nothing else


def test_a_secret_is_in_no_file(
    serve: Callable[..., Any], models: tuple[Path, Path], http: httpx.Client, wait: Callable[..., Any]
) -> None:
    server = serve(workers=2).ready()
    data: Path = server.data
    hidden = ("--sensitive", "input:0:hash", "--sensitive", "input:ssn:hash")
    made = server.cli("deploy", "churn", "--model", models[0], *hidden)
    assert made.returncode == 0, made.stderr
    assert "  hash: column 0 of the input" in made.stdout
    upstream = f"{server.url}/endpoints/churn/invocations"
    for words in (("register", "events"), ("proxy", "live", "--upstream", upstream), ("register", "app")):
        assert server.cli("endpoint", *words, *hidden).returncode == 0
    for _ in range(2):
        assert server.cli("invoke", "churn", text=f"{SECRET},2,3").returncode == 0
        assert server.cli("invoke", "live", text=f"{SECRET},2,3").returncode == 0
    odd = http.post(upstream, content=f"1,2,3\n{SECRET}", headers={"Content-Type": "text/csv"})
    assert odd.status_code == 400, "a refused request is not captured at all"
    for side in ("request", "response"):
        head = {"ce-id": "e", "ce-source": "/", "ce-specversion": "1.0", "Content-Type": "application/json"}
        head["ce-type"] = f"org.kubeflow.serving.inference.{side}"
        body = f'{{"ssn": "{SECRET}"}}' if side == "request" else "[0.5]"
        assert http.post(f"{server.url}/api/endpoints/events/events", content=body, headers=head).status_code == 200
    rules = CaptureSettings(sensitive=(sensitive_column("input:0:hash"),))
    assert capture.log("app", f"{SECRET},2,3", "0.5", data=data, capture=rules)
    capture.flush(data=data)
    lines = wait(lambda: found if len(found := _captured(data)) == 8 else None, "every record is there")
    codes = {line.partition('"data":"')[2].partition(",")[0] for line in lines if "text/csv" in line}
    assert len(codes) == 1, "equal values are equal, whichever way they came"
    assert any(codes.pop() in line for line in lines if "ssn" in line)
    server.stop()
    for file in data.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file
    key = (data / "capture.key").read_bytes()
    assert stat.S_IMODE((data / "capture.key").stat().st_mode) == 0o600
    for said in (server.text(), *lines):
        assert SECRET not in said
        assert key.hex() not in said


def _captured(data: Path) -> list[str]:
    return [line for file in sorted((data / "captures").rglob("*.jsonl")) for line in file.read_text().splitlines()]
