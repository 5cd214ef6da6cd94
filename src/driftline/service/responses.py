"""What people do about alarms: take note, keep quiet for a time, set a state by hand, try the actions."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import httpx

from driftline.alerting import housekeeping, watch
from driftline.alerting.actions import read_actions
from driftline.alerting.messages import message
from driftline.alerting.notify import webhook_client
from driftline.alerting.sending import Refused, send
from driftline.alerting.targets import mask
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.plain_text import plain
from driftline.core.records import utc
from driftline.resources.alarms import AlarmState, AlarmStatus, Transition
from driftline.resources.mutes import Acknowledgement, Action, ActionTest, Mute, NewMute
from driftline.service.alarms import Alarms
from driftline.storage import alarms, mutes
from driftline.storage.clock import system_clock
from driftline.storage.types import new_id

MOST_TEXT = 2000
"""Characters of a note or reason."""


class Responses(Alarms):
    """What a service does when people respond to alarms."""

    def acknowledge_alarm(self, name: str, note: str = "", author: str | None = None) -> AlarmStatus:
        """Keep that somebody has taken note of an alarm; cleared by its next change of state.

        Raises :class:`ConflictError` for an alarm that is OK.
        """
        known = Acknowledgement(_text(author or "", "author") or "unknown", self.now(), _text(note, "note"))
        with self.store.write() as db:
            status = alarms.get(db, name, lock=True)
            if status.state == "OK":
                hint = "acknowledge it when it is in ALARM or INSUFFICIENT_DATA"
                raise ConflictError(f"alarm {name} is OK: there is nothing to take note of", hint=hint)
            alarms.acknowledge(db, name, known)
        return self.get_alarm(name)

    def set_alarm_state(self, name: str, state: AlarmState, reason: str = "set by hand") -> AlarmStatus:
        """Put an alarm in a state, with its actions; it holds until the next evaluation."""
        with self.store.write() as db:
            said = _text(reason, "reason")
            watch.set_state(db, name, state, said, now=self.now(), real=utc(system_clock()))
        return self.get_alarm(name)

    def list_mutes(self, *, limit: int = 100) -> list[Mute]:
        """The mutes, those that end last first; those that are over too."""
        with self.store.read() as db:
            return mutes.listing(db, limit=limit)

    def mute_alarms(self, mute: NewMute) -> Mute:
        """Keep quiet about an alarm, or about all, for a time. States go on changing, and the history is kept.

        When the time is over and an alarm is in ALARM, whoever should have been told is told once.
        """
        now = self.now()
        start = _aware(mute.start or now, "start")
        end = _end_of(mute, start)
        if end <= max(start, now):
            hint = "name an end after the start and after now"
            raise InputError("the mute would never cover anything", evidence=f"it ends at {end}", hint=hint)
        author, reason = _text(mute.author or "", "author") or "unknown", _text(mute.reason, "reason")
        made = Mute(new_id(), mute.alarm, start, end, reason, author, now)
        with self.store.write() as db:
            if mute.alarm is not None:
                alarms.get(db, mute.alarm)
            mutes.add(db, made)
        return made

    def end_mute(self, identity: str) -> None:
        """Take a mute away; what it held back of alarms still in ALARM is told."""
        with self.store.write() as db:
            if not mutes.remove(db, identity):
                raise NotFoundError(f"there is no mute {identity}", hint="list the mutes to see their ids")
            housekeeping.speak(db, self.now(), utc(system_clock()))

    def list_actions(self) -> list[Action]:
        """The commands and calls that the operator of the service lets alarms use."""
        return read_actions(self.layout.data).listing()

    def test_alarm(self, name: str, state: AlarmState = "ALARM") -> list[ActionTest]:
        """Send a message, marked as a test, to what is told when an alarm enters a state; what came of each.

        Commands and calls are carried out. Nothing is tried twice, and nothing is kept.
        """
        with self.store.read() as db:
            status = alarms.get(db, name)
        now, alarm = self.now(), status.definition
        change = Transition(new_id(), name, status.state, state, now, "a test: nothing has happened")
        body = message(alarm, change, None) | {"test": True}
        with webhook_client() as client:
            targets = dict.fromkeys(alarm.actions(state))
            return [_tried(client, target, body, change.id, self.layout.data) for target in targets]


def _tried(client: httpx.Client, target: str, body: dict[str, object], key: str, folder: Path) -> ActionTest:
    try:
        outcome = send(client, target, body, key, folder)
    except Refused as refusal:
        return ActionTest(mask(target), False, str(refusal))
    return ActionTest(mask(target), True, outcome or "accepted")


def _text(given: str, what: str) -> str:
    if len(given) > MOST_TEXT:
        hint = f"use at most {MOST_TEXT} characters"
        raise InputError(f"the {what} is too long", evidence=f"{len(given)} characters", hint=hint)
    return plain(given)


def _end_of(mute: NewMute, start: datetime) -> datetime:
    if (mute.end is None) == (mute.minutes is None):
        raise InputError("a mute needs an end or a number of minutes", hint="give one of the two")
    if mute.end is not None:
        return _aware(mute.end, "end")
    try:
        return start + timedelta(minutes=mute.minutes or 0.0)
    except (OverflowError, ValueError):
        raise InputError("a mute cannot last so long", evidence=f"{mute.minutes} minutes") from None


def _aware(moment: datetime, what: str) -> datetime:
    if moment.tzinfo is None:
        raise InputError(f"the {what} of a mute has no zone", evidence=str(moment), hint="write 2026-11-22T10:00:00Z")
    return moment
