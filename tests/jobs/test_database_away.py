"""The database goes away under a run: nothing is lost by it, and it does not count as an attempt."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftline.core.errors import AwayError
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.pipeline import ModelQualityRun, RunResult
from driftline.storage import executions
from driftline.storage.database import Store
from driftline.storage.layout import Layout

TICK = datetime(2026, 11, 22, 11, tzinfo=UTC)
GONE = AwayError("the database has been away since noon")


def worker(store: Store, layout: Layout, runner: Any, *, lease: float = 60.0, later: float = 0.0) -> Worker:
    moment = TICK.timestamp()
    length = timedelta(seconds=lease)
    return Worker(store, layout, runner, lambda: moment, owner="w", real=lambda: moment + later, lease=length)


def test_a_result_is_stored_when_it_is_back(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    def away(run: ModelQualityRun) -> RunResult:
        store.away = GONE
        threading.Timer(0.3, lambda: setattr(store, "away", None)).start()
        found: RunResult = runner(run)
        return found

    plan_due(store, layout, TICK)
    ended = worker(store, layout, away).run_next()
    assert ended is not None
    assert (ended.status, ended.attempts, ended.schedule) == ("Completed", 1, hourly)


def test_a_run_that_cannot_go_on_is_given_back(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    def refused(_: ModelQualityRun) -> RunResult:
        raise GONE

    plan_due(store, layout, TICK)
    given = worker(store, layout, refused).run_next()
    assert given is not None
    assert (given.status, given.attempts, given.lease_owner) == ("Pending", 0, None)
    assert (given.message or "").startswith("Waits: the database has been away since noon")
    assert worker(store, layout, runner).run_next() is None, "not at once"
    ended = worker(store, layout, runner, later=10.0).run_next()
    assert ended is not None
    assert (ended.id, ended.status, ended.attempts) == (given.id, "Completed", 1)


def test_after_a_lease_the_run_is_left_to_others(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    def away(run: ModelQualityRun) -> RunResult:
        store.away = GONE
        found: RunResult = runner(run)
        return found

    plan_due(store, layout, TICK)
    with pytest.raises(AwayError, match="since noon"):
        worker(store, layout, away, lease=0.2).run_next()
    store.away = None
    ended = worker(store, layout, runner, later=1.0).run_next()
    assert ended is not None
    assert (ended.status, ended.attempts) == ("Completed", 2)
    with store.read() as db:
        assert len(executions.listing(db)) == 1
