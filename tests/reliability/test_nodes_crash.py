"""Three nodes, two schedulers, a PostgreSQL and an S3 server: each of their processes is killed at random while
predictions, labels, windows and alarms go on; afterwards the books are checked.

``make crash`` runs the long form: DRIFTLINE_CRASH_KILLS says how many kills, DRIFTLINE_CRASH_SECONDS how long at most.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from driftline.core.errors import DriftlineError
from driftline.storage import alarms, deliveries, executions
from driftline.storage.database import open_store
from tests.reliability import test_crash as one_node
from tests.reliability.test_crash import ALARM, ENDPOINT, LONG, MOST, SCHEDULES, Traffic

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("DRIFTLINE_CRASH_KILLS") or 8)
SECONDS = float(os.environ.get("DRIFTLINE_CRASH_SECONDS") or (3600 if LONG else 14))
PACE = 20.0  # a minute passes in three seconds
PAUSE = 1.0  # seconds between kills
NODES = {"east": "all", "west": "web", "timer": "scheduler"}
PROCESSES = ("web", "jobs", "jobs.shared", "run", "run")
MACHINES = ("database", "bucket")
LATE = 60.0
"""Seconds in which windows are judged again that missed captures when they were judged first."""
SETTLED = 240.0
"""Seconds in which everything has to come to rest, on a busy machine too."""


class Patient(Traffic):
    """A node may say that it cannot do something now: then nothing was promised."""

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> bool:
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self.failed += 1
            return False
        assert answer.status in {200, 201, 503}, (answer.status, told)
        self.failed += answer.status == 503
        return answer.status != 503


@pytest.fixture
def nodes(cluster: Any, small_model: Path) -> Any:
    """The cluster as the crash test of one node knows it."""
    cluster.begin(NODES, DRIFTLINE_SHIP_AGE="1")
    web = [cluster.nodes[name] for name, role in NODES.items() if role != "scheduler"]
    return SimpleNamespace(
        servers=web, model=small_model, database=cluster.database.url, now=cluster.now, random=Random(20261125)
    )


def kill_some(cluster: Any, random: Random, wait: Callable[..., Any]) -> Counter[str]:
    """Kill processes, the database and the object store at random; how many of which kind."""
    killed: Counter[str] = Counter()
    pause, end = threading.Event(), time.monotonic() + SECONDS
    # In the short form each of the two is killed once at least.
    first = list(MACHINES)
    while killed.total() < KILLS and time.monotonic() < end:
        pause.wait(random.uniform(0.5, 1.5) * PAUSE)
        kind = first.pop() if first and killed.total() % 3 == 2 else random.choice((*PROCESSES, *PROCESSES, *MACHINES))
        if kind in MACHINES:
            machine = getattr(cluster, kind)
            machine.kill()
            pause.wait(random.uniform(0.1, 2.0))
            machine.start()
            killed[kind] += 1
            continue
        with suppress(AssertionError):
            victims = wait(lambda kind=kind: _processes(cluster, kind), f"there is a process of kind {kind}", 2)
            killed[kind] += random.choice(victims).kill()
    return killed


def _processes(cluster: Any, kind: str) -> list[Any]:
    return [process for node in cluster.nodes.values() for process in node.processes(kind)]


def quietly(question: Callable[[], bool], otherwise: bool) -> bool:
    """The answer of a database that may be away."""
    with suppress(DriftlineError):
        return question()
    return otherwise


def run_fast(cluster: Any, nodes: Any, stop: threading.Event) -> None:
    """Let time pass; it stands still while there is enough to do, or the database is away."""
    before, looked, still = time.monotonic(), 0.0, False
    while not stop.wait(0.02):
        now = time.monotonic()
        if now - looked > 0.5:
            looked, still = now, quietly(lambda: one_node.busy(nodes), True)
        if not still:
            cluster.at(cluster.now() + timedelta(seconds=(now - before) * PACE))
        before = now


def records(cluster: Any, kind: str, key: Callable[[dict[str, Any]], str]) -> dict[str, dict[str, Any]]:
    """Every record of the store and of all spools by its key. A file may be in both places, and whole in one only."""
    files: dict[str, bytes] = {}
    for root in (cluster.bucket.store, *(cluster.folder / name for name in NODES)):
        for path in (root / kind / ENDPOINT).rglob("*.jsonl"):
            name, content = path.relative_to(root).as_posix(), path.read_bytes().rpartition(b"\n")[0]
            before = files.get(name, b"")
            assert content.startswith(before) or before.startswith(content), name
            files[name] = max(before, content, key=len)
    found = [json.loads(line) for content in files.values() for line in content.splitlines()]
    names = Counter(key(record) for record in found)
    assert names == {} or names.most_common(1)[0][1] == 1
    return {key(record): record for record in found}


def inference_id(record: dict[str, Any]) -> str:
    metadata = record["eventMetadata"]
    return str(metadata.get("inferenceId", metadata["eventId"]))


def label_id(record: dict[str, Any]) -> str:
    return str(record["eventMetadata"]["eventId"])


def check_counts(runs: list[Any], captured: dict[str, dict[str, Any]]) -> int:
    """The newest revision of every window that did not fail has read all that was captured in it; how many windows."""
    moments = Counter(
        datetime.fromisoformat(record["eventMetadata"]["inferenceTime"]).replace(second=0, microsecond=0)
        for record in captured.values()
    )
    newest: dict[tuple[str, datetime], Any] = {}
    for run in sorted(runs, key=lambda run: run.revision):
        newest[run.schedule, run.window_start] = run
    wrong = [
        (
            run.schedule,
            str(run.window_start),
            run.revision,
            run.counts.get("capture_records"),
            moments[run.window_start],
        )
        for run in newest.values()
        if run.status != "Failed" and run.counts.get("capture_records", 0) != moments[run.window_start]
    ]
    assert wrong == [], wrong[:10]
    return len(newest)


def shipped(cluster: Any, captured: set[str]) -> bool:
    """Whether everything that was captured is in the store."""
    there = set()
    for path in (cluster.bucket.store / "captures" / ENDPOINT).rglob("*.jsonl"):
        content = path.read_bytes().rpartition(b"\n")[0]
        there |= {inference_id(json.loads(line)) for line in content.splitlines()}
    return captured <= there


def test_kills_at_random_lose_nothing_and_double_nothing(cluster: Any, nodes: Any, hook: Any, wait: Any) -> None:
    one_node.prepare(nodes, hook)
    wait(lambda: all(_serves(server) for server in nodes.servers), "both nodes serve the endpoint")
    first, stop = cluster.now(), threading.Event()
    traffic = [Patient(nodes, nodes.servers[number % 2], f"p{number}") for number in range(4)]
    threads = [threading.Thread(target=one.go, args=(stop,)) for one in traffic]
    threads.append(threading.Thread(target=run_fast, args=(cluster, nodes, stop)))
    for thread in threads:
        thread.start()
    try:
        killed = kill_some(cluster, nodes.random, wait)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    last = cluster.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    cluster.at(last + timedelta(seconds=1))
    began = time.monotonic()
    predictions = {name for one in traffic for name in one.predictions}
    labels = {name for one in traffic for name in one.labels}
    wait(lambda: shipped(cluster, predictions), "everything acknowledged is in the store", SETTLED)
    wait(lambda: quietly(lambda: one_node.finished(nodes), False), "every window has its result, all is told", SETTLED)

    captured = records(cluster, "captures", inference_id)
    assert predictions - captured.keys() == set()
    assert labels - records(cluster, "labels", label_id).keys() == set()
    with open_store(nodes.database) as store:

        def complete() -> bool:
            with store.read() as db:
                check_counts(executions.listing(db, limit=MOST), captured)
            return bool(one_node.finished(nodes))

        with suppress(AssertionError):  # checked below
            wait(lambda: _holds(complete), "captures that came late were judged", LATE)
        with store.read() as db:
            runs = executions.listing(db, limit=MOST)
            history = alarms.history(db, ALARM, limit=MOST)
            state = alarms.get(db, ALARM).state
            sent = deliveries.listing(db, limit=MOST)
    windows = check_counts(runs, captured)
    endings = one_node.check_windows(runs, first, last)
    repeats = one_node.check_notices(history, sent, state, hook)
    figures = {
        "kills": dict(killed),
        "predictions": len(predictions),
        "captured": len(captured),
        "labels": len(labels),
        "unanswered or refused": sum(one.failed for one in traffic),
        "seconds until all was settled": round(time.monotonic() - began, 1),
        "windows": windows,
        "runs": len(runs),
        "endings": dict(endings),
        "second attempts": sum(run.attempts > 1 for run in runs),
        "revisions": sum(run.revision > 1 for run in runs),
        "transitions": len(history),
        "repeated notifications": repeats,
    }
    if folder := os.environ.get("DRIFTLINE_CRASH_FIGURES"):
        Path(folder, "crash-nodes.json").write_text(json.dumps(figures, indent=1))
    print(json.dumps(figures))
    assert predictions
    assert labels
    assert len(SCHEDULES) * windows
    assert not LONG or history


def _holds(check: Callable[[], bool]) -> bool:
    with suppress(AssertionError):
        return check()
    return False


def _serves(server: Any) -> bool:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=15)
    try:
        connection.request("POST", f"/endpoints/{ENDPOINT}/invocations", one_node.ROW, {"Content-Type": "text/csv"})
        return connection.getresponse().status == 200
    finally:
        connection.close()
