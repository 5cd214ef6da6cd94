"""What people do about alarms: take note of one, keep quiet for a time, set a state, try the actions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class Acknowledgement(msgspec.Struct, frozen=True):
    """Who has taken note of an alarm's state, and when; it ends with the next change of state."""

    author: str
    time: datetime
    note: str = ""


class NewAcknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note to take; without an ``author`` it is whoever asks."""

    note: str = ""
    author: str | None = None


class NewMute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time in which nobody is told of an alarm, or of any when ``alarm`` is None.

    States go on changing and the history is kept. Without a ``start`` it begins now; it lasts to its ``end``, or for so
    many ``minutes``. Without an ``author`` it is of whoever asks.
    """

    reason: str
    alarm: str | None = None
    end: datetime | None = None
    minutes: float | None = None
    start: datetime | None = None
    author: str | None = None


class Mute(msgspec.Struct, frozen=True):
    """A mute as it is kept; it covers [start, end)."""

    id: str
    alarm: str | None
    start: datetime
    end: datetime
    reason: str
    author: str
    created: datetime


class NewState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state to put an alarm in by hand; it holds until the next evaluation."""

    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    reason: str = "set by hand"


class ActionTest(msgspec.Struct, frozen=True):
    """What came of one message sent to try a target, which is shown without its secrets."""

    target: str
    sent: bool
    detail: str


class Action(msgspec.Struct, frozen=True):
    """A way to tell or to act: ``target`` is what an alarm names, ``about`` what it does."""

    target: str
    about: str
