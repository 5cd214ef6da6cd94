"""Batch jobs as rows: names, filters, and claims that one worker has at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.batch_jobs import BatchJob
from driftline.storage import batch_jobs
from driftline.storage.batch_jobs import BatchOutcome
from driftline.storage.database import Store

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
LEASE = timedelta(seconds=60)
SETTINGS = {"monitor": "data-quality", "header": True, "text": "Größe"}


def add(store: Store, name: str, *, kind: str = "baseline", after: int = 0) -> BatchJob:
    with store.write() as db:
        return batch_jobs.add(db, name, kind, SETTINGS, now=NOW + timedelta(seconds=after))


def claim(store: Store, owner: str = "one", *, real: datetime = NOW) -> BatchJob | None:
    with store.write() as db:
        return batch_jobs.claim(db, owner=owner, now=NOW, real=real, lease=LEASE)


def test_a_job_is_kept_as_it_was_asked_for(store: Store) -> None:
    asked = add(store, "first")
    add(store, "second", kind="transform", after=1)
    with store.write() as db, pytest.raises(ConflictError, match="first exists"):
        batch_jobs.add(db, "first", "baseline", {}, now=NOW)
    with store.read() as db:
        assert batch_jobs.get(db, "first") == asked == BatchJob("first", "baseline", SETTINGS, "Pending", NOW)
        assert [job.name for job in batch_jobs.listing(db)] == ["second", "first"]
        assert batch_jobs.listing(db, kind="baseline") == batch_jobs.listing(db, limit=1, offset=1) == [asked]
        assert batch_jobs.listing(db, status="Failed") == []
        with pytest.raises(NotFoundError):
            batch_jobs.get(db, "third")


def test_the_oldest_is_claimed_once_and_finished_by_its_owner(store: Store) -> None:
    add(store, "late", after=5)
    add(store, "early")
    early, late = claim(store), claim(store, "two")
    assert early is not None
    assert late is not None
    assert (early.name, early.lease_owner, early.attempts, early.started) == ("early", "one", 1, NOW)
    assert (late.name, claim(store)) == ("late", None)
    with store.write() as db:
        assert batch_jobs.extend(db, early, NOW + 2 * LEASE)
        assert batch_jobs.finish(db, early, BatchOutcome("Completed", "done", result={"item_count": 7}), NOW)
        assert not batch_jobs.finish(db, early, BatchOutcome("Failed", "twice"), NOW)
        found = batch_jobs.get(db, "early")
    assert (found.status, found.message, found.result, found.finished) == ("Completed", "done", {"item_count": 7}, NOW)


def test_a_lease_that_ran_out_is_another_s(store: Store) -> None:
    add(store, "job")
    dead = claim(store)
    assert dead is not None
    assert claim(store, "two", real=NOW + LEASE) is None
    taken = claim(store, "two", real=NOW + 2 * LEASE)
    assert taken is not None
    assert (taken.attempts, taken.lease_owner) == (2, "two")
    with store.write() as db:
        assert not batch_jobs.extend(db, dead, NOW + 3 * LEASE)
        assert not batch_jobs.finish(db, dead, BatchOutcome("Completed", "late"), NOW)


def test_a_job_given_back_was_not_tried(store: Store) -> None:
    add(store, "job")
    job = claim(store)
    assert job is not None
    with store.write() as db:
        assert batch_jobs.release(db, job)
        back = batch_jobs.get(db, "job")
        assert batch_jobs.waiting(db, NOW)
    assert (back.status, back.attempts, back.started, back.lease_owner) == ("Pending", 0, None, None)


def test_a_job_is_stopped_until_it_has_finished(store: Store) -> None:
    add(store, "job")
    job = claim(store)
    assert job is not None
    with store.write() as db:
        batch_jobs.stop(db, "job", NOW)
        assert batch_jobs.get(db, "job").status == "Stopped"
        assert not batch_jobs.finish(db, job, BatchOutcome("Completed", "late"), NOW)
        with pytest.raises(ConflictError, match="is Stopped already"):
            batch_jobs.stop(db, "job", NOW)
        with pytest.raises(NotFoundError):
            batch_jobs.stop(db, "another", NOW)
