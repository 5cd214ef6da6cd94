"""Whatever happens on the way to the store, what was acknowledged is there or here, and in the end there, once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from driftline.jobs.shared import shipper as shipping
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.capture_log import CaptureLog
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.segment import Segment
from driftline.storage import spool
from tests.faults import FAULTS, Fault
from tests.jobs.shared.conftest import Node

NewNode = Callable[..., Node]
CAUSES = {
    "refuse": "refused the connection",
    "reset": "was reset",
    "unavailable": "503",
    "expired": "expired",
    "denied": "accesskeyid",
}


def records(*roots: Path) -> Counter[str]:
    """The records of the files below some folders, a file of one key only once, and the longest of it."""
    files: dict[str, bytes] = {}
    for root in roots:
        # The server takes an object, and its folders, away when another upload of it fails.
        found = [Path(folder, name) for folder, _, names in os.walk(root) for name in names if name.endswith(".jsonl")]
        for path in found:
            key = path.relative_to(root).as_posix()
            with suppress(FileNotFoundError):
                files[key] = max(files.get(key, b""), path.read_bytes(), key=len)
    return Counter(line for content in files.values() for line in content.decode().splitlines())


def everywhere(one: Node) -> Counter[str]:
    return records(one.layout.data / "captures", one.bucket / "some/where/captures")


def in_store(one: Node) -> Counter[str]:
    return records(one.bucket / "some/where/captures")


HARMLESS = ("torn", "slow", "marks")
"""The answer to an upload has no body that could be torn, what is slow arrives, and a foreign mark is looked into."""


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("hang",)])
def test_a_fault_loses_nothing_and_is_named(node: NewNode, faulty_bucket: Any, fault: Fault) -> None:
    one = node(age=0.0)
    one.until(lambda: one.ledger.knows(one.prefix))
    faulty_bucket.fault = fault
    acknowledged: Counter[str] = Counter()
    segments = [one.segment(f"e{number}") for number in range(4)]
    for number, segment in enumerate(segments):
        line = f"{number} of {fault}"
        segment.append(f"{line}\n".encode())
        acknowledged[line] += 1
    for segment in segments[:2]:
        segment.close()
    if fault not in HARMLESS:
        one.until(lambda: one.shipper.said.failures, fault)
        one.shipper.look()
        assert CAUSES.get(fault, "cannot write") in one.shipper.said.trouble.lower()
        assert one.prefix in one.shipper.said.trouble
        for secret in (os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_ACCESS_KEY_ID"]):
            assert secret not in one.shipper.said.trouble
    assert everywhere(one) == acknowledged
    if fault not in (*HARMLESS, "lost"):
        assert one.ledger.entries(one.prefix) == {}
    faulty_bucket.fault = None
    for segment in segments[2:]:
        segment.append(b"more\n")
        acknowledged["more"] += 1
        segment.close()
    one.until(lambda: in_store(one) == acknowledged, fault)
    one.until(lambda: one.shipper.said.trouble == "" and one.shipper.progress.files == 0)


def test_wrong_keys_are_named(
    node: NewNode, faulty_bucket: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", faulty_bucket.strangers["AWS_SECRET_ACCESS_KEY"])
    one = node()
    path = one.put("captures/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl")
    one.until(lambda: one.shipper.said.trouble)
    assert "AWS_ACCESS_KEY_ID" in one.shipper.said.trouble
    assert faulty_bucket.strangers["AWS_SECRET_ACCESS_KEY"] not in caplog.text
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", faulty_bucket.environment["AWS_SECRET_ACCESS_KEY"])
    one.new_shipper()
    one.until(lambda: one.there(path))


def test_a_store_that_is_away_is_not_asked_without_pause(node: NewNode, faulty_bucket: Any) -> None:
    one = node()
    one.until(lambda: one.ledger.knows(one.prefix))
    for number in range(20):
        one.put(f"captures/churn/AllTraffic/2026/11/22/10/05-00-000-{number}.jsonl")
    faulty_bucket.fault = "denied"
    until = time.monotonic() + 2
    while time.monotonic() < until:
        one.shipper.look()
        time.sleep(0.01)
    # All that began together, and one after each pause of half a second and more.
    assert faulty_bucket.seen["denied"] <= 2 * 8 + 4
    # One may be under way still.
    assert faulty_bucket.seen["denied"] - one.shipper.said.failures in (0, 1)
    faulty_bucket.fault = None
    one.until(lambda: sum(in_store(one).values()) == 20)


@pytest.mark.parametrize("seed", range(int(os.environ.get("DRIFTLINE_SHIPPING_SEEDS", "3"))))
def test_store_and_spool_hold_what_was_acknowledged(
    node: NewNode, faulty_bucket: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "POLL", 0.01)
    chance = random.Random(seed)
    one = node(age=0.05, cache=300)
    acknowledged: Counter[str] = Counter()
    segments: dict[str, Segment] = {}
    number = 0
    for step in range(120):
        what = chance.choices(("append", "close", "fault", "well", "crash", "lost ledger"), (60, 12, 10, 12, 4, 2))[0]
        endpoint = f"e{chance.randrange(4)}"
        if what == "append":
            if endpoint not in segments:
                one.now += chance.random() * 400
                segments[endpoint] = one.segment(endpoint)
            lines = [f"{number + more}" for more in range(chance.randrange(1, 4))]
            number += len(lines)
            segments[endpoint].append("".join(f"{line}\n" for line in lines).encode())
            acknowledged.update(lines)
        elif what == "close" and endpoint in segments:
            segments.pop(endpoint).close()
        elif what == "fault":
            faulty_bucket.fail(chance.choice(("reset", "unavailable", "half", "lost", "torn")), chance.randrange(1, 6))
        elif what == "well":
            faulty_bucket.fault = None
        elif what == "crash":
            one.new_shipper()
        elif what == "lost ledger" and chance.random() < 0.5:
            one.ledger.file.unlink(missing_ok=True)
        one.shipper.look()
        assert everywhere(one) == acknowledged, (step, what)
    faulty_bucket.fault = None
    for segment in segments.values():
        segment.close()
    one.until(lambda: in_store(one) == acknowledged)


def test_a_shipper_that_is_killed_at_any_point_loses_and_doubles_nothing(
    node: NewNode, faulty_bucket: Any, tmp_path: Path
) -> None:
    one = node()
    chance, acknowledged = random.Random(11), Counter[str]()
    environment = os.environ | {"DRIFTLINE_STORE": one.prefix, "DRIFTLINE_SHIP_AGE": "0.1"}
    command = [sys.executable, "-m", "driftline.jobs.shared", "--data", str(one.layout.data), "--node", "n1"]
    log = (tmp_path / "log").open("wb")
    segment, number, kills = one.segment(), 0, 0
    while kills < int(os.environ.get("DRIFTLINE_SHIPPING_KILLS", "3")):
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        before, until = faulty_bucket.seen["requests"], time.monotonic() + 20
        wanted = chance.randrange(1, 12)
        while faulty_bucket.seen["requests"] - before < wanted and time.monotonic() < until:
            segment.append(f"{number}\n".encode())
            acknowledged[str(number)] += 1
            number += 1
            if chance.random() < 0.2:
                segment.close()
                segment = one.segment(f"e{chance.randrange(3)}")
            time.sleep(0.01)
        process.kill()
        process.wait()
        kills += 1
        assert everywhere(one) == acknowledged
    segment.close()
    process = subprocess.Popen([*command, "--grace", "20"], env=environment, stdout=log, stderr=log)
    until = time.monotonic() + 30
    while in_store(one) != acknowledged:
        assert time.monotonic() < until, (tmp_path / "log").read_text()
        time.sleep(0.05)
    process.terminate()
    assert process.wait(30) == 0, (tmp_path / "log").read_text()
    log.close()
    entries = one.ledger.entries(one.prefix)
    for path in (one.layout.data / "captures").rglob("*.jsonl"):
        if path.stat().st_size:
            assert entries[one.layout.relative(path)].size == path.stat().st_size


def test_a_full_spool_drops_and_counts_and_the_rest_arrives(node: NewNode, faulty_bucket: Any) -> None:
    one = node(spool=20_000)
    one.until(lambda: one.ledger.knows(one.prefix))
    log = CaptureLog(one.layout.data / "captures", lambda: one.now)
    served = EndpointConfig("churn", None, capture=CaptureSettings())

    def capture() -> None:
        one.now += 1
        log.append(served, [Exchange(b"1,2", "text/csv", b"0.5", "text/csv", None) for _ in range(10)])
        log.rotate()

    faulty_bucket.fault = "refuse"
    for _ in range(30):
        capture()
        one.shipper.look()
    assert spool.full(one.layout.data)
    faulty_bucket.fault = None
    log.close()
    one.until(lambda: not spool.full(one.layout.data) and one.shipper.progress.files == 0)
    capture()
    log.close()
    counts = log.drain_counters()
    captured, dropped = (sum(getattr(one, name) for one in counts) for name in ("captured", "dropped"))
    assert captured + dropped == 310
    assert dropped == spool.dropped(one.layout.data) > 0
    # Between two looks ten were captured, so that the bound is kept to a few more.
    size = sum(path.stat().st_size for path in (one.layout.data / "captures").rglob("*.jsonl"))
    assert size < 20_000 + 4 * 10 * size / captured
    one.until(lambda: sum(in_store(one).values()) == captured)
