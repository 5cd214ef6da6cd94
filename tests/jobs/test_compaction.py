"""Past hours are compacted once, by whichever scheduler comes first, and their originals go by retention."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline.core.errors import DriftlineError, InputError
from driftline.core.window import HOUR, Window, partition
from driftline.engine.compacted.form import is_compacted, originals_of
from driftline.engine.compacted.hour import LEAST
from driftline.engine.files import list_files
from driftline.engine.record_lines import record_lines
from driftline.jobs import compaction
from driftline.jobs.compacting import compact_hour
from driftline.jobs.compaction import Compactor, age
from driftline.jobs.isolation import Isolation
from driftline.jobs.retention import run_retention
from driftline.jobs.shared.store import open_shared
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.storage import arrivals, compactions, endpoints, retention_rows
from driftline.storage.clock import system_clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures

NOW = START + timedelta(hours=12)


def write(root: Path, hour: datetime = START, count: int = LEAST, first: int = 0) -> Path:
    """Files of one record each in an hour of an endpoint's captures; the hour's folder."""
    for number in range(first, first + count):
        moment = hour + timedelta(seconds=number)
        record = capture("0.5", f"{hour:%H}-{number}", time=moment, request="1,2")
        write_captures(root / "AllTraffic", [record], name=f"{number:02d}-00-000")
    return root / "AllTraffic" / partition(hour)


def compactor(store: Store, layout: Layout, owner: str = "one", **options: Any) -> Compactor:
    lease = timedelta(seconds=5)
    given: dict[str, Any] = {"real": system_clock, "lease": lease, "monotonic": lambda: 1e9} | options
    return Compactor(store, layout, NOW.timestamp, owner=owner, **given)


def compacted_in(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.iterdir()) if is_compacted(path.name)]


def test_an_hour_is_compacted_when_it_is_old_enough(store: Store, layout: Layout) -> None:
    captures = layout.captures("churn")
    old, other, young = write(captures), write(captures, START + HOUR), write(captures, NOW - 3 * HOUR)
    few = write(captures, START + 2 * HOUR, LEAST - 1)
    lines = list(record_lines(list_files(captures, None), None))
    assert compactor(store, layout, isolation=Isolation(compact_hour)).work(threading.Event()) == 2
    assert [len(compacted_in(folder)) for folder in (old, other, young, few)] == [1, 1, 0, 0]
    assert list(record_lines(list_files(captures, None), None)) == lines
    with store.read() as db:
        row = compactions.get(db, "churn", START)
    assert row is not None
    assert (row.status, row.attempts, row.lease_owner) == ("Completed", 1, None)
    assert compactor(store, layout, "two").work(threading.Event()) == 0


def test_several_schedulers_do_each_hour_once(store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = [START + place * HOUR for place in range(5)]
    for hour in hours:
        write(layout.captures("churn"), hour)
    done: list[datetime] = []

    def noted(asked: Any, progress: Any) -> Any:
        done.append(asked.hour)
        return compact_hour(asked, progress)

    monkeypatch.setattr(compaction, "compact_hour", noted)
    every = [compactor(store, layout, f"scheduler-{number}") for number in range(3)]
    threads = [threading.Thread(target=one.work, args=(threading.Event(),)) for one in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One that looked before another was done asks again; then nothing is left to do.
    assert set(done) == set(hours)
    assert [len(compacted_in(layout.captures("churn") / "AllTraffic" / partition(hour))) for hour in hours] == [1] * 5


def test_an_hour_of_a_scheduler_that_died_is_taken_up(store: Store, layout: Layout) -> None:
    folder = write(layout.captures("churn"))
    real = datetime.fromtimestamp(system_clock(), NOW.tzinfo)
    with store.write() as db:
        compactions.ask(db, "churn", START)
        lost = compactions.claim(db, owner="dead", now=NOW, real=real - HOUR, lease=timedelta(minutes=1))
    assert lost is not None
    assert compactor(store, layout).work(threading.Event()) == 1
    assert len(compacted_in(folder)) == 1
    with store.write() as db:
        assert not compactions.finish(db, lost, "Completed", NOW)
        row = compactions.get(db, "churn", START)
    assert row is not None
    assert (row.status, row.attempts) == ("Completed", 2)


def test_late_files_are_merged_when_there_are_many(store: Store, layout: Layout) -> None:
    folder = write(layout.captures("churn"))
    compactor(store, layout).work(threading.Event())
    (old,) = compacted_in(folder)
    write(layout.captures("churn"), first=20)
    assert compactor(store, layout).work(threading.Event()) == 1
    (new,) = set(compacted_in(folder)) - {old}
    assert len(originals_of(new)) == 2 * LEAST
    assert list_files(folder, None) == [new]


def test_an_hour_that_fails_is_left_after_some_attempts(
    store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(layout.captures("churn"))
    second = write(layout.captures("churn"), START + HOUR)

    def failing(asked: Any, progress: Any) -> Any:
        if asked.hour == START:
            raise DriftlineError("a file cannot be read", hint="mend it")
        return compact_hour(asked, progress)

    monkeypatch.setattr(compaction, "compact_hour", failing)
    one = compactor(store, layout)
    deadline = time.monotonic() + 20
    while not compacted_in(second):
        one.work(threading.Event())
        assert time.monotonic() < deadline
    with store.read() as db:
        row = compactions.get(db, "churn", START)
    assert row is not None
    assert (row.status, row.attempts) == ("Failed", 3)
    assert "a file cannot be read" in caplog.text


def test_the_age_is_set_by_a_variable(store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTLINE_COMPACT_AFTER", raising=False)
    assert age() == timedelta(hours=6)
    monkeypatch.setenv("DRIFTLINE_COMPACT_AFTER", "PT1M")
    with pytest.raises(InputError, match="too short"):
        age()
    monkeypatch.setenv("DRIFTLINE_COMPACT_AFTER", "never")
    folder = write(layout.captures("churn"))
    assert (compactor(store, layout).work(threading.Event()), compacted_in(folder)) == (0, [])
    monkeypatch.setenv("DRIFTLINE_COMPACT_AFTER", "P1D")
    assert (compactor(store, layout).work(threading.Event()), compacted_in(folder)) == (0, [])


def test_originals_go_by_a_retention_of_their_own(store: Store, layout: Layout) -> None:
    model: dict[str, Any] = {"model_path": "models/churn/aa/m.json", "model": ModelDescription()}
    with store.write() as db:
        endpoints.create(db, "churn", capture=CaptureSettings(), now=NOW, **model)
        retention_rows.put(db, "churn", {"originals": "PT2H"})
    folder, loose = write(layout.captures("churn")), write(layout.captures("churn"), START + HOUR, 3)
    lines = list(record_lines(list_files(layout.captures("churn"), None), None))
    compactor(store, layout).work(threading.Event())
    (path,) = compacted_in(folder)
    # A run that began before may still be at the originals.
    assert removed(store, layout, "originals") == (0, 0)
    old = time.time() - 7200
    os.utime(path, (old, old))
    assert removed(store, layout, "originals", dry_run=True)[0] == LEAST
    assert removed(store, layout, "originals")[0] == LEAST
    assert [one.name for one in folder.iterdir()] == [Path(path).name]
    assert len(list(loose.iterdir())) == 3
    assert list(record_lines(list_files(layout.captures("churn"), None), None)) == lines
    with store.write() as db:
        retention_rows.put(db, "churn", {"captures": "PT2H"})
    assert removed(store, layout, "captures")[0] == 4
    assert not folder.exists()


def removed(store: Store, layout: Layout, kind: str, *, dry_run: bool = False) -> tuple[int, int]:
    report = run_retention(store, layout, NOW, dry_run=dry_run)
    (found,) = (one for one in report.removed if one.kind == kind)
    return found.files, found.rows


def test_hours_of_many_nodes_are_compacted_from_the_store(
    store: Store,
    layout: Layout,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind != "sqlite":
        pytest.skip("what is in the store does not depend on the database")
    server = request.getfixturevalue("bucket_server")
    for variable, value in server.environment.items():
        monkeypatch.setenv(variable, value)
    (server.folder / "nodes").mkdir(exist_ok=True)
    monkeypatch.setenv("DRIFTLINE_STORE", f"s3://nodes/{tmp_path.name}")
    for number in range(2):
        node = Layout(tmp_path / f"web-{number}").create()
        folder, shared = write(node.captures("churn"), count=LEAST - 2, first=20 * number), open_shared(node)
        assert shared is not None
        for path in folder.iterdir():
            shared.send(path)
    with store.write() as db:
        arrivals.add(db, "churn", "captures", [START])
    assert compactor(store, layout).work(threading.Event()) == 1
    assert compactor(store, layout, "two").work(threading.Event()) == 0
    reader = Layout(tmp_path / "reader").create()
    shared = open_shared(reader)
    assert shared is not None
    until(lambda: shared.have_hours(reader.captures("churn"), Window(START, START + HOUR)) >= 0
          and bool(list_files(reader.captures("churn"), None)))  # fmt: skip
    (path,) = list_files(reader.captures("churn"), None)
    assert (is_compacted(Path(path).name), len(originals_of(path))) == (True, 2 * (LEAST - 2))
    assert len(list(Path(path).parent.iterdir())) == 1


def until(condition: Callable[[], bool]) -> None:
    """A server may answer for some milliseconds from what it remembers of a folder."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.01)
