"""The database is told what was shipped; without it shipping goes on, and what is owed to it waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline.core.errors import SetupError
from driftline.jobs.shared.ledger import Entry, Ledger, Owed
from driftline.jobs.shared.shipper import Progress
from driftline.jobs.shared.telling import Teller
from driftline.resources.endpoints import Endpoint
from driftline.service import Service
from driftline.storage import arrivals, nodes, spool
from driftline.storage.clock import SharedClock
from driftline.storage.database import Store, open_store
from driftline.storage.layout import Layout
from tests.jobs.shared.conftest import HOUR, LONGEST, Node

ENTRY = Entry("captures/churn/a.jsonl", 1, "", "sent", 0.0)


def until(true: Callable[[], object], log: Path | None = None) -> None:
    deadline = time.monotonic() + LONGEST
    while not true():
        assert time.monotonic() < deadline, log.read_text() if log else ""
        time.sleep(0.02)


def test_arrivals_and_progress_are_told_and_a_lost_database_later(database: str, tmp_path: Path) -> None:
    away = threading.Event()
    away.set()

    def opened() -> Store:
        if away.is_set():
            raise SetupError("the database is away")
        return open_store(database)

    ledger, listed = Ledger(tmp_path / "shipping.db"), list[list[Endpoint]]()
    ledger.enter("t", [ENTRY], [Owed("churn", "captures", HOUR.timestamp()), Owed("churn", "labels", 0.0)])
    progress = Progress(HOUR, 2, 30, "the store is away")
    teller = Teller(opened, ledger, "n1", lambda: progress, listed.append, stores=True)
    teller._tell()
    assert len(ledger.owed()) == 2
    away.clear()
    teller.start()
    until(lambda: ledger.owed() == [])
    with open_store(database) as store, store.read() as db:
        assert [(one.endpoint, one.kind, one.hour) for one in arrivals.since(db, 0)] == [
            ("churn", "labels", datetime(1970, 1, 1, tzinfo=UTC)),
            ("churn", "captures", HOUR),
        ]
        (row,) = nodes.listing(db)
        assert (row.name, row.captured_until, row.spool_files, row.spool_bytes) == ("n1", HOUR, 2, 30)
        assert row.trouble == "the store is away"
    assert listed == [[]]
    teller.close()
    with open_store(database) as store, store.read() as db:
        assert [one.name for one in nodes.listing(db)] == ["n1"]


def test_a_node_that_knows_nothing_yet_holds_windows_up_and_one_that_is_done_does_not(
    database: str, tmp_path: Path
) -> None:
    progress = [Progress(looked=False)]
    ledger = Ledger(tmp_path / "shipping.db")
    teller = Teller(lambda: open_store(database), ledger, "n1", lambda: progress[0], lambda _: None, stores=True)
    teller.start()
    with open_store(database) as store:

        def told() -> list[nodes.Node]:
            with store.read() as db:
                return nodes.listing(db)

        until(told)
        with store.read() as db:
            assert nodes.captured_until(db, HOUR - timedelta(days=9999)) == datetime(1970, 1, 1, tzinfo=UTC)
        progress[0] = Progress(HOUR)
        teller.close()
        assert told() == []


@contextmanager
def shipper(data: Path, log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "driftline.jobs.shared", "--data", str(data), "--node", "n1"]
    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    with log.open("ab") as file:
        process = subprocess.Popen([*command, *options], stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


def test_a_shipper_process_ships_tells_and_ends(
    node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, log = node(), tmp_path / "log"
    monkeypatch.setenv("DRIFTLINE_STORE", one.prefix)
    clock = SharedClock(tmp_path / "clock")
    clock.set(one.now)
    with Service(one.layout.data) as service:
        service.register_endpoint("churn", {"destination": f"s3://{one.bucket.name}/seen"})
        segment = one.segment()
        segment.append(b"1\n")
        clocked = {"clock": str(tmp_path / "clock")}
        with shipper(one.layout.data, log, **clocked), shipper(one.layout.data, tmp_path / "second", **clocked):

            def told() -> Any:
                with service.store.read() as db:
                    return next(iter(nodes.listing(db)), None)

            until(lambda: told() and told().captured_until == HOUR + timedelta(minutes=10), log)
            label = one.put("labels/churn/2026/11/22/10/05-00-000-x.jsonl")
            until(lambda: one.there(label), log)
            clock.set(one.now + 600)
            assert told().spool_files == 1
            segment.append(b"2\n")
            segment.close()
            seen = one.bucket / "seen/churn" / segment.path.relative_to(one.layout.captures("churn"))
            until(lambda: told().captured_until == HOUR + timedelta(minutes=20) and seen.exists(), log)
            assert (one.there(segment.path), seen.read_bytes()) == (b"1\n2\n", b"1\n2\n")
            last = one.segment("other")
            last.append(b"1\n")
        assert one.there(last.path) == b"1\n"
        with service.store.read() as db:
            kinds = {(row.endpoint, row.kind, row.hour) for row in arrivals.since(db, 0)}
            assert kinds == {("churn", "captures", HOUR), ("churn", "labels", HOUR), ("other", "captures", HOUR)}
        assert told() is None
        last.close()
    # Of two that share a folder one works at a time.
    assert {path.read_text().count("shipper ready") for path in (log, tmp_path / "second")} <= {0, 1}


def test_a_shipper_ends_with_its_parent(node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch) -> None:
    one = node()
    monkeypatch.setenv("DRIFTLINE_STORE", one.prefix)
    code = (
        "import os, subprocess, sys; print(subprocess.Popen([sys.executable, '-m', 'driftline.jobs.shared', '--data',"
        " sys.argv[1], '--parent', str(os.getpid())]).pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(one.layout.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    until(lambda: spool.figures(Layout(one.layout.data)))
    parent.kill()
    parent.communicate()

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    until(gone)


def test_what_cannot_be_used_is_told_at_the_start(
    node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = node()
    command = [sys.executable, "-m", "driftline.jobs.shared", "--data", str(one.layout.data)]
    for name, value, words in (
        ("DRIFTLINE_STORE", "lake/x", "names no object"),
        ("DRIFTLINE_CACHE_BYTES", "much", "DRIFTLINE_CACHE_BYTES is no number of bytes"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert words in done.stderr
