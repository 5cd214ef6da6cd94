"""Mutes that end, and points that are rolled up."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from driftline.alerting import housekeeping, watch
from driftline.alerting.notify import send_due
from driftline.resources.alarms import Alarm
from driftline.resources.metrics import Series, point, statistic_set
from driftline.resources.mutes import Mute
from driftline.storage import deliveries, metrics, mutes
from driftline.storage.database import Store

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
F2 = Series("ns", "f2", {})


def move(store: Store, state: str, minutes: int) -> None:
    with store.write() as db:
        watch.set_state(db, "low", state, "a drill", now=NOW + minutes * HOUR / 60, real=NOW)  # type: ignore[arg-type]


def told(store: Store) -> dict[str, int]:
    with store.read() as db:
        found = [entry.status for entry in deliveries.listing(db)]
    return {status: found.count(status) for status in set(found)}


@pytest.mark.parametrize("alarm", ["low", None])
def test_a_mute_holds_back_and_tells_once_at_its_end(store: Store, alarm: str | None) -> None:
    with store.write() as db:
        watch.put_alarm(db, Alarm("low", "f2", "ns", {}, "LessThanThreshold", 0.5), now=NOW, real=NOW)
        mutes.add(db, Mute("m", alarm, NOW, NOW + HOUR, "deploying", "ann", NOW))
    for minutes, state in ((1, "ALARM"), (2, "OK"), (3, "ALARM")):
        move(store, state, minutes)
    assert told(store) == {"muted": 3}
    with httpx.Client() as client:
        assert send_due(store, client, lambda: NOW.timestamp() + 9999) == 0
    with store.read() as db:
        assert "muted until 2026-11-22T19:00:00Z by ann: deploying" in str(deliveries.listing(db)[0].last_error)
    housekeeping.tend(store, NOW + 0.9 * HOUR, NOW)
    assert told(store) == {"muted": 3}
    for _ in range(2):
        housekeeping.tend(store, NOW + HOUR, NOW)
        assert told(store) == {"muted": 2, "pending": 1}


def test_what_is_over_by_the_end_of_a_mute_is_not_told(store: Store) -> None:
    with store.write() as db:
        watch.put_alarm(db, Alarm("low", "f2", "ns", {}, "LessThanThreshold", 0.5), now=NOW, real=NOW)
        mutes.add(db, Mute("m", "low", NOW, NOW + HOUR, "", "ann", NOW))
    move(store, "ALARM", 1)
    move(store, "OK", 2)
    housekeeping.tend(store, NOW + HOUR, NOW)
    assert told(store) == {"muted": 2}


def test_rolled_up_points_say_the_same(store: Store) -> None:
    dice = random.Random(7)
    points = [point(NOW - 500 * DAY + minutes * HOUR / 6, dice.randrange(-99, 99) / 8) for minutes in range(900)]
    points += [point(NOW - 100 * DAY + minutes * HOUR / 6, dice.randrange(9) / 8) for minutes in range(300)]
    points += [point(NOW - 100 * DAY - HOUR * number, None) for number in range(3, 30)]
    points += [statistic_set(NOW - HOUR, total=6.0, minimum=1.0, maximum=3.0, count=3)]
    with store.write() as db:
        metrics.add(db, [(F2, entry) for entry in points])

    def asked(period: int, days: int = 600) -> list[metrics.Point]:
        with store.read() as db:
            return metrics.by_period(db, F2, period=period, since=NOW - days * DAY, until=NOW)

    before = {period: asked(period) for period in (86_400, 172_800)}, asked(3600, 200)
    assert housekeeping.roll_up(store, NOW) == 900 + 150 + 327
    assert ({period: asked(period) for period in (86_400, 172_800)}, asked(3600, 200)) == before
    assert housekeeping.roll_up(store, NOW) == 0
    with store.read() as db:
        kept = metrics.query(db, F2)
    assert len(kept) == 7 + 50 + 27 + 1
    assert kept[-1] == points[-1]


def test_a_late_point_joins_what_is_rolled_up(store: Store) -> None:
    old = NOW - 100 * DAY
    for value in (1.0, 3.0):
        with store.write() as db:
            metrics.add(db, [(F2, point(old, value))])
        housekeeping.roll_up(store, NOW)
    with store.read() as db:
        (found,) = metrics.by_period(db, F2, period=3600, since=old - DAY, until=NOW)
    assert (found.value, found.sum, found.minimum, found.maximum, found.count) == (2.0, 4.0, 1.0, 3.0, 2.0)


def test_the_oldest_points_go(store: Store) -> None:
    with store.write() as db:
        metrics.add(db, [(F2, point(NOW - 6 * 365 * DAY, 1.0)), (F2, point(NOW, 2.0))])
    housekeeping.roll_up(store, NOW)
    with store.read() as db:
        assert [entry.value for entry in metrics.query(db, F2)] == [2.0]


def test_schedulers_that_roll_up_at_once_count_nothing_twice(store: Store) -> None:
    old = NOW - housekeeping.KEEP_RAW - DAY
    with store.write() as db:
        metrics.add(db, [(F2, point(old + number * HOUR / 60, float(number))) for number in range(600)])
    barrier = threading.Barrier(4)

    def roll_up() -> None:
        barrier.wait()
        housekeeping.roll_up(store, NOW)

    threads = [threading.Thread(target=roll_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as db:
        points = metrics.query(db, F2)
    assert (len(points), sum(one.count for one in points), sum(one.sum or 0.0 for one in points)) == (10, 600, 179700)
