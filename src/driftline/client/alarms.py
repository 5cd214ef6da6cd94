"""Alarms: put, looked at, deleted; their history, and who was told."""

from __future__ import annotations

from driftline.client.connection import Connection, path_of
from driftline.resources.alarms import AlarmStatus, NewAlarm, Notification, Transition


class Alarms(Connection):
    """What a client can ask of alarms."""

    def list_alarms(self) -> list[AlarmStatus]:
        """Every alarm with its state, by name."""
        return self._get(path_of("alarms"), list[AlarmStatus])

    def get_alarm(self, name: str) -> AlarmStatus:
        """One alarm with its state; addresses it tells are shown without their secrets."""
        return self._get(path_of("alarms", name), AlarmStatus)

    def put_alarm(self, name: str, alarm: NewAlarm) -> AlarmStatus:
        """Create or change an alarm and judge it on the points there are.

        Raises :class:`InputError` for an alarm that cannot work.
        """
        return self._write("PUT", path_of("alarms", name), AlarmStatus, alarm)

    def alarm_history(self, name: str) -> list[Transition]:
        """The transitions of an alarm, newest first; those of a deleted alarm stay."""
        return self._get(path_of("alarms", name, "history"), list[Transition])

    def alarm_notifications(self, name: str) -> list[Notification]:
        """What was sent about an alarm, to whom, and with what outcome."""
        return self._get(path_of("alarms", name, "deliveries"), list[Notification])

    def delete_alarm(self, name: str) -> None:
        """Delete an alarm; its history stays."""
        self._delete(path_of("alarms", name))
