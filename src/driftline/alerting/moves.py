"""A change of state, recorded with the notifications it owes."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.alerting.alarms import Evaluation
from driftline.alerting.messages import message
from driftline.alerting.targets import LOG
from driftline.core.window import format_time
from driftline.resources.alarms import AlarmStatus, Transition
from driftline.storage import alarms as rows
from driftline.storage import deliveries, mutes
from driftline.storage.types import new_id


class Cause(msgspec.Struct, frozen=True):
    """When and why alarms are judged: the service's time, real time, the run that caused it and its page."""

    now: datetime
    real: datetime
    run: str | None = None
    link: str | None = None


def move(connection: Connection, row: AlarmStatus, found: Evaluation, cause: Cause) -> Transition:
    """Put an alarm in another state and note who must be told; nobody, while it is muted."""
    alarm = row.definition
    transition = Transition(
        new_id(), alarm.name, row.state, found.state, cause.now, found.reason, found.datapoints, cause.run
    )
    rows.move(connection, transition)
    mute = mutes.covering(connection, alarm.name, cause.now)
    why = None if mute is None else f"muted until {format_time(mute.end)} by {mute.author}: {mute.reason}"
    body = message(alarm, transition, cause.link)
    # Written in the same transaction as the state: a crash after it cannot lose a notification.
    for target in dict.fromkeys((LOG, *alarm.actions(found.state))):
        deliveries.enqueue(connection, transition.id, target, body, cause.real, muted=why)
    return transition
