"""What people do about alarms: ``/api/alarms/NAME/…``, ``/api/mutes`` and ``/api/actions``."""

from __future__ import annotations

import msgspec
from litestar import delete, get, post
from litestar.params import FromQuery, JSONBody

from driftline.resources.alarms import AlarmState, AlarmStatus
from driftline.resources.mutes import Action, ActionTest, Mute, NewAcknowledgement, NewMute, NewState
from driftline.web.access import visitor
from driftline.web.api.signature import Given, Name


@post("/alarms/{name:str}/acknowledge", status_code=200, sync_to_thread=True)
def acknowledge_alarm(service: Given, name: Name, data: JSONBody[NewAcknowledgement]) -> AlarmStatus:
    """Keep that somebody has taken note of an alarm; its next change of state clears it."""
    return service.acknowledge_alarm(name, data.note, data.author or visitor.get().name)


@post("/alarms/{name:str}/state", status_code=200, sync_to_thread=True)
def set_alarm_state(service: Given, name: Name, data: JSONBody[NewState]) -> AlarmStatus:
    """Put an alarm in a state by hand; it holds until the next evaluation."""
    return service.set_alarm_state(name, data.state, data.reason)


@post("/alarms/{name:str}/test", status_code=200, sync_to_thread=True)
def try_alarm(service: Given, name: Name, entering: FromQuery[AlarmState] = "ALARM") -> list[ActionTest]:
    """Send a message, marked as a test, to what is told when the alarm is entering a state."""
    return service.test_alarm(name, entering)


@get("/mutes", sync_to_thread=True)
def list_mutes(service: Given) -> list[Mute]:
    """The mutes, those that end last first; those that are over too."""
    return service.list_mutes()


@post("/mutes", sync_to_thread=True)
def mute_alarms(service: Given, data: JSONBody[NewMute]) -> Mute:
    """Keep quiet about an alarm, or about all, for a time."""
    return service.mute_alarms(msgspec.structs.replace(data, author=data.author or visitor.get().name))


@delete("/mutes/{identity:str}", sync_to_thread=True)
def end_mute(service: Given, identity: Name) -> None:
    """Take a mute away; what it held back of alarms still in ALARM is told."""
    service.end_mute(identity)


@get("/actions", sync_to_thread=True)
def list_actions(service: Given) -> list[Action]:
    """The commands and calls that the operator of the service lets alarms use."""
    return service.list_actions()


HANDLERS = (acknowledge_alarm, set_alarm_state, try_alarm, list_mutes, mute_alarms, end_mute, list_actions)
