"""What time brings by itself: mutes end, and old points are rolled up."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftline.storage import deliveries, metrics, mutes, revisions
from driftline.storage.database import Store

KEEP_RAW = timedelta(days=90)
"""Points are kept as they came for this long, then as statistic sets of an hour."""
KEEP_HOURS = timedelta(days=455)
"""Statistic sets of an hour are kept for this long, then as those of a day."""
KEEP_DAYS = timedelta(days=5 * 365)
"""Statistic sets of a day are kept for this long, then no more."""
_ROLL_UP = "roll_up"


def tend(store: Store, now: datetime, real: datetime) -> None:
    """Tell what mutes have held back and roll up old points. ``now`` is the service's time, ``real`` real time."""
    if _held(store, now):
        with store.write() as connection:
            speak(connection, now, real)
    roll_up(store, now)


def speak(connection: Connection, now: datetime, real: datetime) -> int:
    """Make due what was held back by mutes that are over, of alarms still in ALARM; how many, each once."""
    free = _free(connection, now)
    for identity in free:
        deliveries.release(connection, identity, real)
    return len(free)


def roll_up(store: Store, now: datetime) -> int:
    """Turn old points into statistic sets of an hour, older ones into those of a day; how many rows that took away.

    Every sample is in exactly one row at any time, so sums, counts, extremes and averages stay what they were.
    """
    plan = ((metrics.HOUR, now - KEEP_RAW), (metrics.DAY, now - KEEP_HOURS))
    gone = 0
    for resolution, before in plan:
        with store.read() as connection:
            due = metrics.any_finer(connection, resolution, before)
        if due:
            with store.write() as connection:
                # Two schedulers that fold at once would both add what they merged, and only one takes the rows away.
                revisions.alone(connection, _ROLL_UP)
                gone += metrics.fold(connection, resolution, before)
    with store.read() as connection:
        old = metrics.any_before(connection, now - KEEP_DAYS)
    if old:
        with store.write() as connection:
            gone += metrics.forget_before(connection, now - KEEP_DAYS)
    return gone


def _held(store: Store, now: datetime) -> bool:
    with store.read() as connection:
        return bool(_free(connection, now))


def _free(connection: Connection, now: datetime) -> list[str]:
    return [key for key, alarm in deliveries.withheld(connection) if mutes.covering(connection, alarm, now) is None]
