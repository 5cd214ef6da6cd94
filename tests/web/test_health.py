"""Whether a service is ready, and what says so when it is not."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_model_quality
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.service import Service
from driftline.service.health import LEAST_FREE, SILENT
from driftline.storage import endpoints, heartbeat, spool
from driftline.storage.clock import system_clock
from driftline.web import app
from driftline.web.worker import Worker


def failing(service: Service, **known: Any) -> list[str]:
    found = service.readiness(**known)
    assert found.ready == all(check.ok for check in found.checks)
    assert all(check.hint for check in found.checks if not check.ok)
    shown = str(found)
    assert str(service.layout.data) not in shown
    return [check.name for check in found.checks if not check.ok]


@pytest.fixture
def alive(service: Service) -> Service:
    heartbeat.beat(service.layout)
    return service


def test_everything_that_must_work_works(alive: Service) -> None:
    assert failing(alive) == []
    assert [check.name for check in alive.readiness().checks] == [
        "store",
        "data folder",
        "scheduler",
        "schedules",
        "captures",
    ]


def test_a_scheduler_that_is_silent_is_not_ready(service: Service) -> None:
    assert failing(service) == ["scheduler"]
    heartbeat.beat(service.layout)
    assert failing(service) == []
    then = system_clock() - SILENT - 5
    os.utime(service.layout.logs / "scheduler.alive", (then, then))
    assert failing(service) == ["scheduler"]


def test_a_scheduler_gives_signs_of_life(service: Service) -> None:
    import threading

    stop = threading.Event()
    scheduler = Scheduler(service.store, service.layout, service.clock, run_model_quality, poll=0.01)
    thread = threading.Thread(target=scheduler.run, args=(stop,))
    thread.start()
    try:
        while heartbeat.silence(service.layout) is None:
            stop.wait(0.01)
    finally:
        stop.set()
        thread.join()
        scheduler.close()
    assert failing(service) == []


def test_a_late_tick_is_told_and_no_failure(alive: Service, clock: Any) -> None:
    options = {"model": ModelDescription(), "capture": CaptureSettings()}
    with alive.store.write() as db:
        endpoints.create(db, "churn", model_path="models/none", now=alive.now(), **options)  # type: ignore[arg-type]
    alive.create_schedule(
        "hourly", endpoint="churn", cron="0 * * * *", baseline=None, attributes={"probability_attribute": "0"}
    )
    assert failing(alive) == []
    clock.advance(timedelta(hours=2))
    assert failing(alive) == []
    late = next(check for check in alive.readiness().checks if check.name == "schedules")
    assert late.message.startswith("1 schedules have a tick")
    assert late.hint


def test_a_store_of_another_version_is_not_ready(alive: Service) -> None:
    with alive.store.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert failing(alive) == ["store"]


def test_a_store_that_is_gone_is_not_ready(alive: Service) -> None:
    alive.close()
    alive.layout.database.unlink()
    alive.layout.database.mkdir()
    assert failing(alive) == ["store", "schedules"]


def test_a_full_disk_is_not_ready(alive: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, LEAST_FREE - 1))
    assert failing(alive) == ["data folder"]


def test_a_folder_that_cannot_be_written_is_not_ready(alive: Service) -> None:
    shutil.rmtree(alive.layout.logs)
    assert failing(alive) == ["data folder", "scheduler"]


def test_lost_captures_are_not_ready_for_a_minute(alive: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(alive)
    assert not worker.captures_lost()
    from driftline.serving.capture_log import CaptureCount

    lost = [CaptureCount("churn", alive.now(), 0, 0, 3)]
    monkeypatch.setattr(worker.captures, "drain_counters", lambda: lost)
    worker.store_counts()
    assert worker.captures_lost()
    assert failing(alive, captures_lost=True) == ["captures"]
    worker._lost -= 61
    assert not worker.captures_lost()
    worker.requests.close()


def test_the_page_says_200_or_503(service: Service, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    worker = Worker(service)
    monkeypatch.setattr(app, "_READY_SECONDS", 0.0)
    with serve(worker.app) as (url, _):
        first = httpx.get(f"{url}/readyz", trust_env=False)
        assert (first.status_code, first.json()["ready"]) == (503, False)
        heartbeat.beat(service.layout)
        second = httpx.get(f"{url}/readyz", trust_env=False)
        assert (second.status_code, second.json()["ready"]) == (200, True)
        assert httpx.get(f"{url}/healthz", trust_env=False).json() == {"status": "ok"}
    worker.captures.close()
    worker.requests.close()


def test_a_spool_that_does_not_drain_is_told_and_a_full_one_is_not_ready(alive: Service) -> None:
    now = system_clock()

    def shipping(said: spool.Shipping) -> tuple[bool, str]:
        spool.tell(alive.layout, said)
        found = next(check for check in alive.readiness().checks if check.name == "shipping")
        return found.ok, found.message

    assert shipping(spool.Shipping(now)) == (True, "captures and labels are shipped, 0 files wait")
    waiting = spool.Shipping(now, files=2, bytes=3000, oldest=now - 60, trouble="the store is away")
    ok, message = shipping(waiting)
    assert ok
    assert message.startswith("2 files with 3,000 bytes wait to be shipped, the first for 6")
    assert shipping(msgspec.structs.replace(waiting, full=True))[0] is False
    assert failing(alive) == ["shipping"]
    ok, message = shipping(spool.Shipping(now - spool.STALE - 5, files=2))
    assert (ok, message) == (True, "the shipper has been silent for 35 s, 2 files waited then")
