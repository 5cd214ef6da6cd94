"""``driftline alarm …``: what people do about alarms."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from driftline.cli.alarms import alarm
from driftline.cli.endpoints import Json, Url
from driftline.cli.output import OK, VIOLATED, brief, out, table

Author = Annotated[str | None, typer.Option(help="by default whoever the service knows you to be")]

responses = alarm
"""The group ``alarm`` with these commands in it as well."""


@alarm.command("history")
def alarm_history(name: str, url: Url = None, json: Json = False) -> int:
    """The changes of an alarm, newest first, with the datapoints they rest on (--json)."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.alarm_history(name)
    rows = [(brief(row.time), f"{row.from_state} → {row.to_state}", row.run or "", row.reason) for row in found]
    out.result(found, table(rows, ("time", "change", "run", "reason")))
    return OK


@alarm.command("ack")
def acknowledge(name: str, note: str = "", author: Author = None, url: Url = None, json: Json = False) -> int:
    """Take note of an alarm; its next change of state clears it."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.acknowledge_alarm(name, note, author)
    who = found.acknowledged.author if found.acknowledged else "nobody"
    out.result(found, [f"{name} is {found.state}, acknowledged by {who}"])
    return OK


@alarm.command("set-state")
def set_state(name: str, state: str, reason: str = "set by hand", url: Url = None, json: Json = False) -> int:
    """Put an alarm in OK, ALARM or INSUFFICIENT_DATA, with its actions, until the next evaluation."""
    from driftline.client import Client

    out.json = json
    wanted: Any = state  # what is no state is refused by the service, with what there is
    with Client(url) as client:
        found = client.set_alarm_state(name, wanted, reason)
    out.result(found, [f"{name} is {found.state}: {found.reason}"])
    return OK


@alarm.command("test")
def try_actions(
    name: str,
    state: Annotated[str, typer.Option(help="the state whose actions are tried")] = "ALARM",
    url: Url = None,
    json: Json = False,
) -> int:
    """Send a message marked as a test to an alarm's targets (commands and calls are carried out); 1 if one fails."""
    from driftline.client import Client

    out.json = json
    wanted: Any = state
    with Client(url) as client:
        found = client.test_alarm(name, wanted)
    rows = [(row.target, "sent" if row.sent else "failed", row.detail) for row in found]
    out.result(found, table(rows, ("target", "outcome", "detail")))
    return OK if all(row.sent for row in found) else VIOLATED


@alarm.command("actions")
def list_actions(url: Url = None, json: Json = False) -> int:
    """The commands and calls that alarms may use."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_actions()
    out.result(found, table([(row.target, row.about) for row in found], ("target", "what it does")))
    return OK


@alarm.command("mute")
def mute(
    reason: Annotated[str, typer.Option(help="why nobody is to be told")],
    name: Annotated[str | None, typer.Argument(help="an alarm; without one, all of them")] = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="for how long, from its start")] = 60,
    start: Annotated[str | None, typer.Option(help="an ISO 8601 time; by default now")] = None,
    author: Author = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Tell nobody for a time. States go on changing; what is still in ALARM at the end is told then."""
    from driftline.client import Client
    from driftline.core.window import parse_time
    from driftline.resources.mutes import NewMute

    out.json = json
    with Client(url) as client:
        given = parse_time(start) if start else None
        wanted = NewMute(reason, alarm=name, minutes=minutes, start=given, author=author)
        made = client.mute_alarms(wanted)
    about = made.alarm or "all alarms"
    out.result(made, [f"{about} muted until {brief(made.end)} (mute {made.id})"])
    return OK


@alarm.command("mutes")
def list_mutes(url: Url = None, json: Json = False) -> int:
    """The mutes, those that end last first."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_mutes()
    rows = [(row.id, row.alarm or "(all)", brief(row.start), brief(row.end), row.author, row.reason) for row in found]
    out.result(found, table(rows, ("mute", "alarm", "from", "to", "by", "reason")))
    return OK


@alarm.command("unmute")
def unmute(mute: str, url: Url = None) -> int:
    """Take a mute away; what it held back of alarms still in ALARM is told."""
    from driftline.client import Client

    with Client(url) as client:
        client.end_mute(mute)
    out.say(f"mute {mute} is over")
    return OK
