"""Alarms of a service. Whoever asks for one sees where it sends to, without the secrets of those addresses."""

from __future__ import annotations

import msgspec

from driftline.alerting import composites, watch
from driftline.alerting.actions import read_actions
from driftline.alerting.metrics import resolved
from driftline.alerting.targets import mask
from driftline.core.errors import NotFoundError
from driftline.core.records import utc
from driftline.resources.alarms import Alarm, AlarmStatus, Notification, Transition
from driftline.service.wiring import Wiring
from driftline.storage import alarms, deliveries
from driftline.storage.clock import system_clock


class Alarms(Wiring):
    """What a service does with alarms."""

    def put_alarm(self, alarm: Alarm) -> AlarmStatus:
        """Create or change an alarm and judge it on the points, or the states of other alarms, there are."""
        read_actions(self.layout.data).check(
            (*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions)
        )
        with self.store.write() as db:
            series = resolved(db, alarm.series)
            alarm = msgspec.structs.replace(alarm, namespace=series.namespace, dimensions=series.dimensions)
            watch.put_alarm(db, alarm, now=self.now(), real=utc(system_clock()))
            return shown(alarms.get(db, alarm.name))

    def get_alarm(self, name: str) -> AlarmStatus:
        """One alarm with its state."""
        with self.store.read() as db:
            return shown(alarms.get(db, name))

    def list_alarms(self) -> list[AlarmStatus]:
        """Every alarm with its state, by name."""
        with self.store.read() as db:
            return [shown(alarm) for alarm in alarms.listing(db)]

    def alarm_history(self, name: str | None = None, *, limit: int = 100) -> list[Transition]:
        """The last transitions of an alarm, or of all, newest first."""
        with self.store.read() as db:
            return alarms.history(db, name, limit=limit)

    def alarm_notifications(self, name: str) -> list[Notification]:
        """What was sent about an alarm, to whom, and with what outcome."""
        with self.store.read() as db:
            changes = alarms.history(db, name)
            return [told(entry) for change in changes for entry in deliveries.listing(db, transition=change.id)]

    def delete_alarm(self, name: str) -> None:
        """Delete an alarm; its history stays. Raises :class:`ConflictError` for one that another's rule names."""
        with self.store.write() as db:
            composites.check_unused(db, name)
            if not alarms.remove(db, name):
                raise NotFoundError(f"there is no alarm {name}", hint="list the alarms to see their names")


def shown(status: AlarmStatus) -> AlarmStatus:
    """An alarm as it may be seen: its targets without their secrets."""
    targets = {
        field: tuple(map(mask, getattr(status.definition, field)))
        for field in ("alarm_actions", "ok_actions", "insufficient_data_actions")
    }
    return msgspec.structs.replace(status, definition=msgspec.structs.replace(status.definition, **targets))


def told(delivery: deliveries.Delivery) -> Notification:
    """A delivery as it may be seen: its target without its secrets."""
    return Notification(
        delivery.id,
        mask(delivery.target),
        delivery.status,
        delivery.attempts,
        delivery.last_error,
        delivery.created,
        delivery.sent,
        delivery.body.get("outcome"),
    )
