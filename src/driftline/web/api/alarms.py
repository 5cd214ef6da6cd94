"""``/api/alarms``."""

from __future__ import annotations

from litestar import delete, get, put
from litestar.params import JSONBody

from driftline.resources.alarms import AlarmStatus, NewAlarm, Notification, Transition
from driftline.web.api.signature import Given, Name


@get("/alarms", sync_to_thread=True)
def list_alarms(service: Given) -> list[AlarmStatus]:
    """Every alarm with its state."""
    return service.list_alarms()


@put("/alarms/{name:str}", sync_to_thread=True)
def put_alarm(service: Given, name: Name, data: JSONBody[NewAlarm]) -> AlarmStatus:
    """Create or change an alarm."""
    return service.put_alarm(data.named(name))


@get("/alarms/{name:str}", sync_to_thread=True)
def get_alarm(service: Given, name: Name) -> AlarmStatus:
    """One alarm with its state."""
    return service.get_alarm(name)


@get("/alarms/{name:str}/history", sync_to_thread=True)
def get_alarm_history(service: Given, name: Name) -> list[Transition]:
    """The transitions of an alarm, newest first."""
    return service.alarm_history(name)


@get("/alarms/{name:str}/deliveries", sync_to_thread=True)
def get_alarm_deliveries(service: Given, name: Name) -> list[Notification]:
    """What was sent about an alarm, and with what outcome."""
    return service.alarm_notifications(name)


@delete("/alarms/{name:str}", sync_to_thread=True)
def delete_alarm(service: Given, name: Name) -> None:
    """Delete an alarm; its history stays."""
    service.delete_alarm(name)


HANDLERS = (list_alarms, put_alarm, get_alarm, get_alarm_history, get_alarm_deliveries, delete_alarm)
