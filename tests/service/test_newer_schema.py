"""A service on a database that a newer version has brought further: everything it does, it still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from driftline.core.window import HOUR
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_monitor
from driftline.resources.access import NewToken
from driftline.resources.alarms import NewAlarm
from driftline.service import Service
from driftline.serving.capture_log import CaptureCount
from driftline.storage import executions
from driftline.storage.database import Store, open_store
from driftline.testing import START, FakeClock, capture, write_captures

LEASE = timedelta(seconds=60)
# What a newer version does when it claims a run: it also writes a column that this one does not know.
CLAIM = """
UPDATE executions SET status = 'InProgress', lease_owner = 'newer', lease_until = :until, attempts = attempts + 1,
 colour = 'red' WHERE status = 'Pending' OR (status = 'InProgress' AND lease_until < :now) RETURNING id
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(tmp_path: Path, database: str, clock: FakeClock, grow: Callable[[Store], None]) -> Iterator[Service]:
    with open_store(database) as store:
        grow(store)
    with Service(tmp_path / "node", clock=clock, database=database) as service:
        assert service.readiness().checks[0].ok
        yield service


def test_a_short_journey(service: Service, clock: FakeClock) -> None:
    service.register_endpoint("churn")
    with service.store.write() as db:
        db.execute(text("""UPDATE endpoints SET capture = '{"percent": 100, "of the future": [1]}'"""))
    found = zip("abcd", ("0.9", "0.2", "0.7", "0.1"), strict=True)
    captured = [capture(score, name, inference_id=name) for name, score in found]
    write_captures(service.layout.captures("churn") / "AllTraffic", captured)
    service.put_labels("churn", b"id,label\na,1\nb,0\nc,0\nd,0\n", "csv")
    attributes = {"probability_attribute": "0", "probability_threshold": 0.5, "minimum_sample": 1}
    service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes=attributes)
    service.put_alarm(NewAlarm("accuracy", "LessThanThreshold", 0.8, "churn", "hourly").named("low"))
    service.add_capture_counts([CaptureCount("churn", START, captured=4, sampled_out=0, dropped=0)])
    clock.advance(HOUR)
    scheduler = Scheduler(service.store, service.layout, clock, run_monitor)
    try:
        assert scheduler.tick().ran == 1
    finally:
        scheduler.close()
    [run] = service.list_runs(schedule="hourly")
    assert (run.status, run.counts["matched"]) == ("Completed", 4)
    assert service.get_alarm("low").state == "ALARM"
    issued = service.create_token(NewToken("app", "writer"))
    assert [token.name for token in service.list_tokens()] == [issued.token.name]
    assert service.configure_capture("churn", {"percent": 5}).capture.percent == 5
    assert [found.capture.percent for found in service.served()] == [5]
    assert b"driftline_alarm_state" in service.prometheus()[0]
    service.delete_endpoint("churn")


def test_schedulers_of_two_versions_respect_each_other(service: Service, clock: FakeClock) -> None:
    service.register_endpoint("churn")
    service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes={"probability_attribute": "0"})
    clock.advance(2 * HOUR)
    now = service.now()
    run = service.run_schedule("hourly")
    micros = int(now.timestamp() * 1e6)
    with service.store.write() as db:
        ours = executions.claim(db, owner="ours", now=now, real=now, lease=LEASE)
        assert ours is not None
        assert ours.id == run.id
        assert db.execute(text(CLAIM), {"until": micros + 1, "now": micros}).all() == []
        late = micros + int(LEASE.total_seconds() * 1e6) + 1
        assert [row.id for row in db.execute(text(CLAIM), {"until": late + 60_000_000, "now": late})] == [run.id]
        # It was taken for dead, so what it brings now is not wanted.
        assert not executions.extend(db, ours, now + 2 * LEASE)
        soon = now + LEASE + timedelta(seconds=1)
        assert executions.claim(db, owner="ours", now=now, real=soon, lease=LEASE) is None
