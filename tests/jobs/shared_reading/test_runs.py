"""Runs on a node that captured nothing: the same documents as on one machine, in spite of an absent store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from driftline.core.window import HOUR, Window
from driftline.jobs.executions import Worker
from driftline.jobs.overdue import overdue
from driftline.jobs.planning import plan_due, run_now
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.storage import executions
from driftline.storage.database import open_store
from driftline.storage.layout import Layout
from driftline.testing import START, FakeClock
from tests.jobs.shared_reading.fleet import Machine, Make, captured, documents, labelled, schedules


def alone(tmp_path: Path, migrated: Path, clock: FakeClock) -> dict[str, dict[str, bytes]]:
    """The documents of one machine that has everything, by schedule."""
    layout = Layout(tmp_path / "alone").create()
    layout.database.write_bytes(migrated.read_bytes())
    for part in range(4):
        captured(layout, part, 4, 0)
    labelled(layout, range(200))
    with open_store(layout.database) as store:
        schedules(store)
        plan_due(store, layout, clock.moment)
        worker = Worker(store, layout, run_monitor, clock, owner="alone")
        found = {}
        while (run := worker.run_next()) is not None:
            assert run.status == "Completed", run
            found[run.schedule] = documents(layout.data / run.report)
    return found


def test_a_run_of_what_others_captured_is_that_of_one_machine(
    machines: Make, tmp_path: Path, migrated_file: Path, clock: FakeClock, bucket: Path
) -> None:
    wanted = alone(tmp_path, migrated_file, clock)
    a, b, c = machines("a"), machines("b"), machines("c")
    schedules(a.store)
    a.capture(0, 2)
    b.capture(1, 3)
    labelled(b.layout, range(200))
    for node in (a, b):
        node.ship()
    runs = c.run()
    assert {run.schedule: c.report(run) for run in runs} == wanted
    assert all(run.captures and "nodes_behind" not in run.counts for run in runs)
    for run in runs:
        assert documents(bucket / "fleet" / run.report) == wanted[run.schedule]
        # Whoever shows it has it too.
        a.shared.have_folder(a.layout.data / run.report)
        assert a.report(run) == wanted[run.schedule]


def test_what_another_scheduler_measured_is_not_measured_again(machines: Make, clock: FakeClock) -> None:
    a, b = machines("a"), machines("b")
    schedules(a.store)
    a.capture(0, 1, 2, 3)
    labelled(a.layout, range(200))
    a.ship()
    first = a.run()
    assert sum(run.counts["capture_files_read"] for run in first) == 4
    for run in first:
        with b.store.write() as db:
            run_now(db, b.layout, run.schedule, now=clock.moment)
    again = b.run()
    assert {(run.schedule, run.revision, run.counts["capture_files_read"]) for run in again} == {
        (run.schedule, 2, 0) for run in first
    }
    assert [run.statistics for run in again] == [
        next(executions_of(b, one.id).statistics for one in first if one.schedule == run.schedule) for run in again
    ]


def executions_of(node: Machine, run: str) -> Execution:
    with node.store.read() as db:
        return executions.get(db, run)


def test_a_window_waits_for_the_captures_of_live_nodes_and_holds_up_no_other(
    machines: Make, clock: FakeClock, real: FakeClock
) -> None:
    a, b = machines("a"), machines("b")
    schedules(a.store, "data-quality")
    a.capture(0, 1, hour=-1)
    a.ship()
    b.capture(2)
    b.tell(START + timedelta(minutes=40))
    with a.store.write() as db:
        run_now(db, a.layout, "data-quality", now=clock.moment, window=Window(START - HOUR, START))
    assert [run.window_start for run in a.run()] == [START - HOUR]
    clock.advance(360)
    for node, until in ((a, clock.moment), (b, START + timedelta(minutes=40))):
        node.tell(until)
    assert a.run() == []
    with a.store.read() as db:
        (late,) = overdue(db, clock.moment)
    assert "waits for captures: those of b since 2026-11-22T10:40:00Z" in late.message
    b.ship()
    (run,) = a.run()
    assert (run.item_count, run.reasons, run.counts.get("nodes_behind")) == (60, run.reasons, None)


def test_after_the_grace_time_a_window_runs_and_says_whose_captures_are_missing(
    machines: Make, clock: FakeClock, real: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_CAPTURE_GRACE", "300")
    a, b = machines("a"), machines("b")
    schedules(a.store, "data-quality")
    a.capture(0, 1)
    b.capture(2, 3)
    a.ship()
    b.tell(START + timedelta(minutes=40))
    clock.advance(299)
    assert a.run() == []
    clock.advance(1)
    (run,) = a.run()
    assert (run.status, run.item_count, run.counts["nodes_behind"]) == ("Completed", 120, 1)
    (reason,) = [one for one in run.reasons if one.code == "captures_missing"]
    assert reason.evidence == {"b": "2026-11-22T10:40:00Z"}
    assert "those of b since 2026-11-22T10:40:00Z" in (run.message or "")
    # It comes back: as long as it is behind nothing happens, then the window is judged once more.
    b.ship(until=START + timedelta(minutes=50))
    assert a.late() == []
    b.tell(clock.moment)
    assert (a.late(), b.late()) == (["late_captures"], [])
    (again,) = b.run()
    assert (again.revision, again.cause, again.item_count) == (2, "late_captures", 240)
    assert "nodes_behind" not in again.counts
    b.ship()
    assert (a.late(), b.late()) == ([], [])


def test_a_node_that_was_lost_is_not_waited_for(machines: Make, clock: FakeClock, real: FakeClock) -> None:
    a, b = machines("a"), machines("b")
    schedules(a.store, "data-quality")
    b.tell(START + timedelta(minutes=40))
    real.advance(121)
    a.capture(0)
    a.ship()
    (run,) = a.run()
    assert run.counts["nodes_behind"] == 1
