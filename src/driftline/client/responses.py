"""What people do about alarms: take note, keep quiet for a time, set a state by hand, try the actions."""

from __future__ import annotations

from driftline.client.connection import Connection, path_of
from driftline.resources.alarms import AlarmState, AlarmStatus
from driftline.resources.mutes import Action, ActionTest, Mute, NewAcknowledgement, NewMute, NewState


class Responses(Connection):
    """What a client can ask when people respond to alarms."""

    def acknowledge_alarm(self, name: str, note: str = "", author: str | None = None) -> AlarmStatus:
        """Keep that somebody (by default whoever this client is) has taken note; cleared by the next change of state.

        Raises :class:`ConflictError` for an alarm that is OK.
        """
        known = NewAcknowledgement(note, author)
        return self._write("POST", path_of("alarms", name, "acknowledge"), AlarmStatus, known)

    def set_alarm_state(self, name: str, state: AlarmState, reason: str = "set by hand") -> AlarmStatus:
        """Put an alarm in a state, with its actions; it holds until the next evaluation."""
        return self._write("POST", path_of("alarms", name, "state"), AlarmStatus, NewState(state, reason))

    def test_alarm(self, name: str, state: AlarmState = "ALARM") -> list[ActionTest]:
        """Send a message, marked as a test, to what is told when an alarm enters a state; what came of each.

        Commands and calls are carried out.
        """
        return self._upload("POST", path_of("alarms", name, "test"), list[ActionTest], b"", entering=state)

    def list_mutes(self) -> list[Mute]:
        """The mutes, those that end last first; those that are over too."""
        return self._get(path_of("mutes"), list[Mute])

    def mute_alarms(self, mute: NewMute) -> Mute:
        """Keep quiet about an alarm, or about all, for a time. States go on changing, and the history is kept.

        When the time is over and an alarm is in ALARM, whoever should have been told is told once.
        """
        return self._write("POST", path_of("mutes"), Mute, mute)

    def end_mute(self, identity: str) -> None:
        """Take a mute away; what it held back of alarms still in ALARM is told."""
        self._delete(path_of("mutes", identity))

    def list_actions(self) -> list[Action]:
        """The commands and calls that the operator of the service lets alarms use."""
        return self._get(path_of("actions"), list[Action])
