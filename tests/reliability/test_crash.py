"""Processes are killed at random while predictions, labels, windows and alarms go on; afterwards the books are checked.

``make crash`` runs the long form: DRIFTLINE_CRASH_KILLS says how many kills, DRIFTLINE_CRASH_SECONDS how long at most.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driftline.client import Client
from driftline.core.errors import DriftlineError
from driftline.resources.alarms import NewAlarm
from driftline.storage import alarms, deliveries, executions
from driftline.storage.database import open_store

KILLS = int(os.environ.get("DRIFTLINE_CRASH_KILLS") or 12)
LONG = KILLS > 50
# A slow machine kills less often, and the books are checked all the same.
SECONDS = float(os.environ.get("DRIFTLINE_CRASH_SECONDS") or (3600 if LONG else 20))
PACE = 30.0  # a minute passes in two seconds
PAUSE = 0.7  # seconds between kills
ENDPOINT, ALARM = "churn", "accuracy-low"
SCHEDULES = ("first", "second", "third")
ROW = b"1.0,0.5,-0.25"
MOST = 1_000_000


class Traffic:
    """Predictions with ids and their labels, on one server; what was acknowledged."""

    def __init__(self, world: Any, server: Any, name: str) -> None:
        self.world, self.name = world, name
        self.predictions: set[str] = set()
        self.labels: set[str] = set()
        self.failed = 0
        self._count = 0
        # Patient: while no process is there to answer, the connection waits with the supervisor's socket.
        self._connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=15)

    def go(self, stop: threading.Event) -> None:
        """Predict and label until told to stop."""
        while not stop.is_set():
            made = [name for _ in range(10) if not stop.wait(0.02) and (name := self._predict())]
            if made:
                self._label(made)
        self._connection.close()

    def _predict(self) -> str | None:
        self._count += 1
        name = f"{self.name}-{self._count}"
        headers = {"Content-Type": "text/csv", "X-Inference-Id": name}
        if not self._post(f"/endpoints/{ENDPOINT}/invocations", ROW, headers):
            return None
        self.predictions.add(name)
        return name

    def _label(self, names: list[str]) -> None:
        # The model answers the same each time; the truth agrees with it for two minutes, and then for two does not.
        truth = int(self.world.now().minute % 4 < 2)
        body = "id,label\n" + "".join(f"{name},{truth}\n" for name in names)
        if self._post(f"/api/endpoints/{ENDPOINT}/labels?format=csv", body.encode(), {"Content-Type": "text/csv"}):
            self.labels.update(names)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> bool:
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self.failed += 1
            return False
        assert answer.status in {200, 201}, answer.status
        return True


def prepare(world: Any, hook: Any) -> None:
    """An endpoint, minute schedules over it, and an alarm that will change often."""
    alarm = NewAlarm(
        metric="accuracy",
        endpoint=ENDPOINT,
        schedule=SCHEDULES[0],
        operator="LessThanThreshold",
        threshold=0.5,
        period=60,
        alarm_actions=(hook.url,),
        ok_actions=(hook.url,),
        insufficient_data_actions=(hook.url,),
    )
    attributes = {"probability_attribute": "0", "probability_threshold": 0.5, "minimum_sample": 1}
    with Client(world.servers[0].url) as client:
        client.deploy(ENDPOINT, world.model)
        for name in SCHEDULES:
            client.create_schedule(
                name,
                endpoint=ENDPOINT,
                cron="* * * * *",
                attributes=attributes,
                start_offset="-PT1M",
                end_offset="-PT1M",
            )
        client.put_alarm(ALARM, alarm)


def kill_some(world: Any, hook: Any, wait: Callable[..., Any]) -> Counter[str]:
    """Kill processes at random; how many of which kind."""
    killed: Counter[str] = Counter()
    pause = threading.Event()
    end = time.monotonic() + SECONDS
    while killed.total() < KILLS and time.monotonic() < end:
        pause.wait(world.random.uniform(0.5, 1.5) * PAUSE)
        kind = world.random.choice(("web", "jobs", "run", "run", "run", "run"))
        if LONG and kind == "jobs" and world.random.random() < 0.5:
            hook.ringing.clear()  # in the long form half of the schedulers die while a notification is under way
            hook.ringing.wait(3)
        with suppress(AssertionError):
            victims = wait(lambda kind=kind: world.processes(kind), f"there is a process of kind {kind}", 3)
            killed[kind] += world.random.choice(victims).kill()
    return killed


def busy(world: Any) -> bool:
    """Whether more windows wait than a slow machine should be given."""
    with open_store(world.database) as store, store.read() as connection:
        return executions.tally(connection).get("Pending", 0) > 2 * len(SCHEDULES)


def finished(world: Any) -> bool:
    """Whether every tick up to now has been planned and every run has ended."""
    with open_store(world.database) as store, store.read() as connection:
        runs = executions.listing(connection, limit=MOST)
        pending = deliveries.listing(connection, status="pending", limit=MOST)
    ticks = {run.tick for run in runs if run.finished is not None}
    open_runs = [run for run in runs if run.finished is None]
    return not pending and not open_runs and world.now().replace(second=0, microsecond=0) in ticks


def records(folder: Path, key: Callable[[dict[str, Any]], str]) -> list[str]:
    """As readers do it: what stands after a file's last line end is no record."""
    texts = [path.read_bytes().rpartition(b"\n")[0] for path in folder.rglob("*.jsonl")]
    return [key(json.loads(line)) for text in texts for line in text.splitlines()]


def check_data(world: Any, predictions: set[str], labels: set[str]) -> None:
    """No acknowledged prediction and no acknowledged label is lost."""
    captured = records(world.data / "captures" / ENDPOINT, lambda record: record["eventMetadata"]["inferenceId"])
    labelled = records(world.data / "labels" / ENDPOINT, lambda record: record["eventMetadata"]["eventId"])
    assert predictions - set(captured) == set()
    assert labels - set(labelled) == set()
    assert Counter(captured).most_common(1)[0][1] == 1


def check_windows(runs: list[Any], first: datetime, last: datetime) -> Counter[str]:
    """Every window of every schedule has one result a revision, and none is missing; how they ended."""
    expected = [first + timedelta(minutes=number) for number in range(1, (last - first) // timedelta(minutes=1) + 1)]
    for name in SCHEDULES:
        mine = [run for run in runs if run.schedule == name]
        assert sorted({run.tick for run in mine}) == expected
        results = Counter((run.window_start, run.window_end, run.revision) for run in mine)
        assert set(results.values()) == {1}
        by_window: dict[datetime, list[int]] = defaultdict(list)
        for run in mine:
            by_window[run.window_start].append(run.revision)
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in by_window.values())
    assert all(run.finished for run in runs)
    return Counter(str(run.status) for run in runs)


def check_notices(history: list[Any], sent: list[Any], state: str, hook: Any) -> int:
    """Every transition was told; repeats carry the key of what they repeat, and there are no others; how many."""
    expected = {deliveries.key(change.id, hook.url) for change in history}
    received = Counter(key for key, _ in hook.received)
    assert set(received) == expected
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for key, body in hook.received:
        bodies[key].add(body)
    assert all(len(found) == 1 for found in bodies.values())
    told = [msgspec.json.decode(body) for (body,) in bodies.values()]
    assert len({(one["alarm"], one["time"], one["from"], one["to"], one["run"]) for one in told}) == len(history)
    tries = {entry.id: entry.attempts for entry in sent}
    assert all(count <= tries[key] for key, count in received.items())
    # Each transition begins where the one before it ended; they cannot be sorted, because time stood still at the end.
    left = Counter([change.from_state for change in history] + [state])
    assert left == Counter([change.to_state for change in history] + ["INSUFFICIENT_DATA"])
    return sum(count - 1 for count in received.values())


@pytest.mark.long
def test_kills_at_random_lose_nothing_and_double_nothing(
    world: Any, hook: Any, kind: str, wait: Callable[..., Any]
) -> None:
    world.serve()
    world.serve()
    prepare(world, hook)
    first, stop = world.now(), threading.Event()
    traffic = [Traffic(world, world.servers[number % 2], f"p{number}") for number in range(4)]
    threads = [threading.Thread(target=one.go, args=(stop,)) for one in traffic]
    threads.append(threading.Thread(target=world.run_fast, args=(stop, PACE, lambda: busy(world))))
    for thread in threads:
        thread.start()
    try:
        killed = kill_some(world, hook, wait)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    last = world.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    world.at(last + timedelta(seconds=1))
    began = time.monotonic()
    wait(lambda: finished(world), "every window has its result and every notification is sent", 200)
    with open_store(world.database) as store, store.read() as connection:
        runs = executions.listing(connection, limit=MOST)
        history = alarms.history(connection, ALARM, limit=MOST)
        state = alarms.get(connection, ALARM).state
        sent = deliveries.listing(connection, limit=MOST)
    predictions = {name for one in traffic for name in one.predictions}
    labels = {name for one in traffic for name in one.labels}
    check_data(world, predictions, labels)
    endings = check_windows(runs, first, last)
    repeats = check_notices(history, sent, state, hook)
    figures = {
        "database": kind,
        "kills": dict(killed),
        "predictions": len(predictions),
        "labels": len(labels),
        "seconds until all was settled": round(time.monotonic() - began, 1),
        "unanswered": sum(one.failed for one in traffic),
        "windows": len(runs),
        "endings": dict(endings),
        "second attempts": sum(run.attempts > 1 for run in runs),
        "transitions": len(history),
        "repeated notifications": repeats,
    }
    if folder := os.environ.get("DRIFTLINE_CRASH_FIGURES"):
        Path(folder, f"crash-{kind}.json").write_text(json.dumps(figures, indent=1))
    assert history
    assert labels
    with suppress(DriftlineError), Client(world.servers[0].url) as client:
        assert client.list_runs(limit=1)
