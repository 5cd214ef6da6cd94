"""What a web process keeps while the database is away, and leaves to the one after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from driftline.core.errors import AwayError
from driftline.core.window import HOUR, Window
from driftline.resources.access import AuditEntry
from driftline.service import Service
from driftline.service.door import Visitor
from driftline.serving.capture_log import CaptureCount
from driftline.storage import untold
from driftline.testing import START
from driftline.web.worker import Untold, Worker

ANN = Visitor("ann", "operator")


@contextmanager
def working(service: Service) -> Iterator[Worker]:
    worker = Worker(service)
    yield worker
    worker.captures.close()
    worker.requests.close()


@pytest.fixture
def away(service: Service) -> Iterator[Service]:
    service.store.away = AwayError("the database has been away since noon")
    yield service
    service.store.away = None


def told(service: Service) -> tuple[int, list[str]]:
    hours = service.capture_counts("far", Window(START - HOUR, START + HOUR))
    return sum(hour.captured for hour in hours), [row.outcome for row in service.list_audit()]


def test_what_happens_meanwhile_is_told_when_it_is_back(service: Service) -> None:
    service.register_endpoint("far")
    with working(service) as worker:
        service.store.away = AwayError("the database has been away since noon")
        worker._counted = [CaptureCount("far", START, 3, 0, 0)]
        worker.application.auditor.note(ANN, "delete_endpoint", "endpoints/far", "failed with 503", False)
        with pytest.raises(AwayError):
            worker.store_counts()
        with pytest.raises(AwayError):
            worker.application.auditor.tell_kept()
        service.store.away = None
        worker.store_counts()
        worker.application.auditor.tell_kept()
    assert told(service) == (3, ["failed with 503"])


def test_a_process_that_ends_meanwhile_leaves_it_to_the_next(service: Service) -> None:
    service.register_endpoint("far")
    with working(service) as worker:
        service.store.away = AwayError("the database has been away since noon")
        worker._counted = [CaptureCount("far", START, 3, 0, 0)]
        worker.application.auditor.note(ANN, "delete_endpoint", "endpoints/far", "failed with 503", False)
        worker.end()
    service.store.away = None
    with working(service) as one, working(service) as other:
        for worker in (one, other):
            worker.watch.once()
            worker._inherit()
            worker.end()
    assert told(service) == (3, ["failed with 503"])
    assert list(service.layout.untold.iterdir()) == []


def test_a_file_that_is_no_use_stops_no_one(service: Any, caplog: Any) -> None:
    service.layout.untold.mkdir()
    (service.layout.untold / "a.json").write_bytes(b"{")
    entry = AuditEntry(START, "ann", "admin", "x", "y", "done", {})
    untold.keep(service.layout, Untold((), (entry,)))
    assert [left.entries for left in untold.take(service.layout, Untold)] == [(entry,)]
    assert "cannot be read" in caplog.text


def test_a_service_that_is_degraded_is_ready_and_says_so(away: Service) -> None:
    from driftline.storage import heartbeat

    heartbeat.beat(away.layout)
    found = away.readiness()
    assert found.ready
    assert found.degraded_since is not None
    told = away.prometheus()[0].decode()
    assert "driftline_database_up 0.0" in told
    assert "driftline_runs" not in told
