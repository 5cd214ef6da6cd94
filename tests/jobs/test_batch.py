"""Batch jobs at work: in processes of their own, stopped, tried again, taken up again, beside the runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from driftline.core.errors import ConflictError, InputError
from driftline.jobs import batch_kinds
from driftline.jobs.batch import BatchWorker
from driftline.jobs.batch_kinds import BatchDone, BatchWork, Kind, Task, log_of
from driftline.jobs.executions import Runner
from driftline.jobs.isolation import Isolation, RunFailed, persistent
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline.steps import Progress
from driftline.resources.batch_jobs import BatchJob, BatchLimits
from driftline.service import Service
from driftline.storage import batch_jobs
from driftline.storage.clock import system_clock

LEASE = timedelta(seconds=0.6)


class Wanted(BatchLimits, frozen=True, kw_only=True):
    """What the jobs of these tests are told."""

    do: str = "end"


def run(work: BatchWork, progress: Progress) -> BatchDone:
    """A job that ends well, never ends, fails, or dies until its third attempt."""
    folder = work.layout.job(work.name)
    with (folder / "tries").open("a") as tries:
        tries.write(".")
    if work.settings.do == "refuse":
        raise InputError("no such column", evidence="x", hint="name another")
    if work.settings.do == "recover" and (folder / "tries").stat().st_size < 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if work.settings.do == "hang":
        (folder / "pid").write_text(str(os.getpid()))
        threading.Event().wait()
    return BatchDone("Completed: done.", {"item_count": 3})


def told(task: Task, progress: Progress) -> BatchDone:
    """A job of these tests, in a process that knows only the kinds of the product."""
    return run(task.work, progress)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setitem(batch_kinds.KINDS, "test", Kind(Wanted, __name__))
    with Service(tmp_path / "data", clock=time.time) as service:
        yield service


def start(service: Service, name: str, do: str = "end") -> BatchJob:
    return service.start_batch_job(name, "test", {"do": do})


def worker(service: Service, owner: str = "one") -> BatchWorker:
    store, layout, isolation = service.store, service.layout, Isolation(told)
    return BatchWorker(store, layout, system_clock, owner=owner, real=system_clock, lease=LEASE, isolation=isolation)


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_jobs_end_in_order_with_a_log(service: Service) -> None:
    start(service, "first")
    start(service, "second", "refuse")
    works = worker(service)
    first, second = works.run_next(), works.run_next()
    assert first is not None
    assert second is not None
    assert (first.name, first.status, first.result) == ("first", "Completed", {"item_count": 3})
    assert first.message == "Completed: done."
    assert (second.status, second.message) == ("Failed", "Failed: no such column")
    assert second.error == "no such column\n  seen: x\n  to do: name another"
    assert b"InputError" in service.batch_job_log("second")
    assert works.run_next() is None
    assert log_of(service.layout, "first").is_file()


def test_a_job_whose_process_dies_is_tried_again(service: Service) -> None:
    start(service, "recovers", "recover")
    ended = worker(service).run_next()
    assert ended is not None
    assert ended.status == "Completed"
    assert (service.layout.job("recovers") / "tries").read_text() == "..."


def test_three_deaths_are_enough() -> None:
    deaths = []

    def once() -> None:
        deaths.append(RunFailed("its process ended", code="died"))
        raise deaths[-1]

    with pytest.raises(RunFailed, match="its process ended"):
        persistent(once)
    assert len(deaths) == 3


def test_a_job_that_is_lost_each_time_has_failed(service: Service) -> None:
    start(service, "lost")
    for _ in range(3):
        with service.store.write() as db:
            now, over = service.now(), timedelta(seconds=-1)
            assert batch_jobs.claim(db, owner="dead", now=now, real=now, lease=over) is not None
    ended = worker(service).run_next()
    assert ended is not None
    assert (ended.status, ended.attempts) == ("Failed", 4)
    assert "lost 3 times" in (ended.message or "")


def test_a_job_is_stopped(service: Service) -> None:
    start(service, "hangs", "hang")
    works = worker(service)
    thread = threading.Thread(target=works.run_next)
    thread.start()
    pid = service.layout.job("hangs") / "pid"
    eventually(lambda: pid.exists() and pid.read_text() != "")
    assert service.stop_batch_job("hangs").status == "Stopped"
    thread.join(20)
    assert not thread.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert service.get_batch_job("hangs").message == "Stopped: Job was stopped on request."
    with pytest.raises(ConflictError):
        service.stop_batch_job("hangs")


def test_a_scheduler_that_ends_gives_its_job_back(service: Service, runner: Runner) -> None:
    scheduler = Scheduler(service.store, service.layout, system_clock, runner, poll=0.05)
    for one in scheduler._batch:
        one._isolation = Isolation(told)
    stop = threading.Event()
    thread = threading.Thread(target=scheduler.run, args=(stop,))
    thread.start()
    start(service, "short")
    start(service, "hangs", "hang")
    pid = service.layout.job("hangs") / "pid"
    eventually(lambda: pid.exists() and pid.read_text() != "")
    eventually(lambda: service.get_batch_job("short").status == "Completed")
    stop.set()
    thread.join(20)
    scheduler.close()
    assert not thread.is_alive()
    back = service.get_batch_job("hangs")
    assert (back.status, back.attempts) == ("Pending", 0)
    # The next one takes it up at once.
    service.stop_batch_job("hangs")


def test_settings_and_names_are_checked(service: Service) -> None:
    with pytest.raises(InputError, match="no kind of batch job"):
        service.start_batch_job("job", "dance", {})
    with pytest.raises(InputError, match="no settings of a test job"):
        service.start_batch_job("job", "test", {"do": 3})
    with pytest.raises(InputError, match="name of a batch job"):
        service.start_batch_job("../job", "test", {})
    settings = {"monitor": "model-quality", "dataset": "s3://bucket/a.csv", "output": "s3://bucket/out"}
    with pytest.raises(InputError, match="names no columns"):
        service.start_batch_job("job", "baseline", settings)
