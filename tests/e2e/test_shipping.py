"""A server with a store: its supervisor keeps a shipper, and what was answered before the end is in the store."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import ENVIRONMENT

Wait = Callable[..., Any]


def test_a_server_ships_what_it_captures_to_its_end(
    serve: Callable[..., Any],
    models: tuple[Path, Path],
    bucket_server: Any,
    wait: Wait,
    running: Callable[[int], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = bucket_server.folder / f"lake-{uuid4().hex[:12]}"
    bucket.mkdir()
    environment = bucket_server.environment | {
        "DRIFTLINE_STORE": f"s3://{bucket.name}/all",
        "DRIFTLINE_SHIP_AGE": "0.5",
    }
    for name, value in environment.items():
        monkeypatch.setitem(ENVIRONMENT, name, value)
    server = serve(workers=1).ready()

    def shipper() -> int | None:
        return next((pid for pid, kind in server.children().items() if kind == "jobs.shared"), None)

    first = wait(shipper, "the shipper is started")
    with server.client() as client:
        client.deploy("churn", models[0], destination=f"s3://{bucket.name}/seen")
        client.invoke("churn", b"1,2,3")
        os.kill(first, signal.SIGKILL)
        again = wait(lambda: (found := shipper()) != first and found, "the shipper is started again")
        client.put_labels("churn", b"id,label\ne,1\n", kind="csv")
        wait(lambda: list(bucket.rglob("all/labels/churn/**/*.jsonl")), "labels are in the store")
        wait(lambda: any(check.name == "shipping" for check in client.readiness().checks), "shipping is told of")
        wait(lambda: list(bucket.rglob("seen/churn/**/*.jsonl")), "captures are at their destination")
        client.invoke("churn", b"1,2,3")
    server.stop()
    assert not running(again)
    for below in ("all/captures/churn", "seen/churn"):
        lines = b"".join(path.read_bytes() for path in (bucket / below).rglob("*.jsonl")).splitlines()
        assert len(lines) == 2, below
    assert re.search(r"shipper stopped, 0 files wait", server.text())
