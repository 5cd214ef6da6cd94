"""Runs while the store cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.pipeline import Run, RunResult, run_monitor
from driftline.testing import FakeClock
from tests.faults import FaultProxy
from tests.jobs.shared_reading.fleet import Make, schedules


@pytest.fixture
def kind() -> str:
    """What is done without the store is the same whatever the database is."""
    return "sqlite"


@pytest.mark.parametrize("when", ["fetching", "sending"])
def test_a_run_without_the_store_waits_and_is_tried_again(
    machines: Make, faulty: FaultProxy, when: str, real: FakeClock, bucket: Path
) -> None:
    a = machines("a")
    schedules(a.store, "data-quality")
    a.capture(0)
    a.ship()
    proxy = faulty
    if when == "fetching":
        proxy.fault = "unavailable"
    else:
        runner = a.worker.runner

        def and_then_away(run: Run) -> RunResult:
            result = runner(run)
            proxy.fault = "refuse"
            return result

        a.worker.runner = and_then_away
    pauses = []
    for _ in range(2):
        (waits,) = a.run()
        assert (waits.status, waits.attempts) == ("Pending", 0)
        assert (waits.message or "").startswith("Waits: cannot ")
        assert waits.resume_after is not None
        pauses.append((waits.resume_after - real.moment).total_seconds())
        assert a.run() == []
        real.set(waits.resume_after)
        a.tell(a.clock.moment)
    assert pauses == [5, 5]
    assert not (a.layout.data / waits.report / "report.html").exists()
    a.worker.runner = run_monitor
    proxy.fault = None
    (run,) = a.run()
    assert (run.status, run.attempts, run.waiting_since, run.resume_after) == ("Completed", 1, None, None)
    assert (bucket / "fleet" / run.report / "report.html").exists()


def test_patience_has_an_end(machines: Make, faulty: FaultProxy, real: FakeClock) -> None:
    a = machines("a")
    schedules(a.store, "data-quality")
    a.capture(0)
    a.ship()
    faulty.fault = "unavailable"
    (waits,) = a.run()
    assert waits.status == "Pending"
    real.advance(3600)
    a.tell(a.clock.moment)
    (failed,) = a.run()
    assert failed.status == "Failed"
    assert "cannot list s3://" in (failed.error or "")


def test_what_waiting_cannot_mend_fails_at_once(machines: Make, faulty: FaultProxy) -> None:
    a = machines("a")
    schedules(a.store, "data-quality")
    a.capture(0)
    a.ship()
    faulty.fault = "denied"
    (failed,) = a.run()
    assert failed.status == "Failed"
    assert "the keys are wrong" in (failed.error or "")
