"""Services that an account is brought to: a data folder, or a service at an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from driftline.account.items import Made, NewBaseline, NewExternal, NewSchedule, NewScript
from driftline.client import Client
from driftline.core.errors import InputError, NotFoundError
from driftline.resources.alarms import Alarm, NewAlarm
from driftline.service import Service

_NOTE = "copied from an account"


class Target(Protocol):
    """Where things are made."""

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a thing of a kind already."""

    def make(self, name: str, made: Made) -> None:
        """Make a thing; raises as the service does."""


class FolderTarget:
    """The service of a data folder."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._finders: dict[str, Callable[[str], object]] = {
            "endpoint": service.get_endpoint,
            "baseline": service.get_baseline,
            "schedule": service.get_schedule,
            "alarm": service.get_alarm,
        }

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a thing of a kind already."""
        if kind == "script":
            return self._service.layout.script(name).exists()
        return _found(self._finders[kind], name)

    def make(self, name: str, made: Made) -> None:
        """Make a thing."""
        service = self._service
        if isinstance(made, NewExternal):
            service.register_endpoint(name, made.capture)
        elif isinstance(made, NewScript):
            service.keep_script(name, made.code)
        elif isinstance(made, NewBaseline):
            service.put_baseline(name, made.constraints, made.statistics, note=_NOTE)
        elif isinstance(made, NewSchedule):
            service.create_schedule(name, **made.options)
            if made.paused:
                service.pause_schedule(name)
        else:
            service.put_alarm(made)


class RemoteTarget:
    """A service at an address. Scripts are code, which no service takes over the network."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._finders: dict[str, Callable[[str], object]] = {
            "endpoint": client.get_endpoint,
            "baseline": client.get_baseline,
            "schedule": client.get_schedule,
            "alarm": client.get_alarm,
        }

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a thing of a kind already."""
        return kind != "script" and _found(self._finders[kind], name)

    def make(self, name: str, made: Made) -> None:
        """Make a thing; raises :class:`InputError` for scripts."""
        client = self._client
        if isinstance(made, NewExternal):
            client.register_endpoint(name, **{f"capture_{key}": value for key, value in made.capture.items()})
        elif isinstance(made, NewScript):
            hint = "run this command on the machine of the data folder, with --data"
            raise InputError("a script is code, and is not taken over the network", hint=hint)
        elif isinstance(made, NewBaseline):
            client.put_baseline(name, _document(made.constraints), _document(made.statistics), note=_NOTE)
        elif isinstance(made, NewSchedule):
            client.create_schedule(name, **made.options)
            if made.paused:
                client.pause_schedule(name)
        else:
            client.put_alarm(name, _new_alarm(made))


def _found(find: Callable[[str], object], name: str) -> bool:
    try:
        find(name)
    except NotFoundError:
        return False
    return True


def _document(content: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InputError("a document of the baseline is no JSON", evidence=str(error)) from None
    return found


def _new_alarm(alarm: Alarm) -> NewAlarm:
    given = {name: getattr(alarm, name) for name in NewAlarm.__struct_fields__ if hasattr(alarm, name)}
    return NewAlarm(**given)
