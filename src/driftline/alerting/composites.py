"""Alarms over other alarms: judged in the transaction in which a state they name changes, and those over them too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from driftline.alerting import rules
from driftline.alerting.alarms import Evaluation
from driftline.alerting.moves import Cause, move
from driftline.core.errors import ConflictError, InputError
from driftline.resources.alarms import Alarm, AlarmStatus, Transition
from driftline.storage import alarms as rows


def check_names(connection: Connection, alarm: Alarm) -> None:
    """Raises :class:`InputError` for a rule that names an alarm there is not, or that comes back to itself."""
    if alarm.rule is None:
        return
    named = rules.names(rules.parse(alarm.rule))
    known = {status.name for status in rows.listing(connection)}
    unknown = [name for name in named if name not in known and name != alarm.name]
    if unknown:
        seen, hint = ", ".join(unknown[:10]), "create the alarms first; the list of alarms shows their names"
        raise InputError(f"the rule of {alarm.name[:80]!r} names alarms there are not", evidence=seen, hint=hint)
    children = _children(connection) | {alarm.name: named}
    path = _circle(children, alarm.name)
    if path:
        hint = "name alarms that do not depend on this one"
        raise InputError(f"the rule of {alarm.name!r} comes back to itself", evidence=" -> ".join(path), hint=hint)


def check_unused(connection: Connection, name: str) -> None:
    """Raises :class:`ConflictError` when a rule names the alarm."""
    users = [parent for parent, named in _children(connection).items() if name in named]
    if users:
        hint = "change or delete those first"
        raise ConflictError(f"alarm {name} is part of other alarms' rules", evidence=", ".join(users[:10]), hint=hint)


def follow(connection: Connection, changed: Sequence[str], cause: Cause) -> list[Transition]:
    """Judge the alarms whose rules name those that changed, and again those over them, each once."""
    if not changed:
        return []
    children = _children(connection)
    moved, made = set(changed), list[Transition]()
    for name in _upwards(children):
        if moved.isdisjoint(children[name]):
            continue
        transitions = judge(connection, rows.get(connection, name, lock=True), cause)
        moved.update(transition.alarm for transition in transitions)
        made += transitions
    return made


def judge(connection: Connection, row: AlarmStatus, cause: Cause) -> list[Transition]:
    """Judge one alarm over others. Its row is locked: whoever changes another state it names waits, and sees this."""
    rule = rules.parse(row.definition.rule or "")
    parts = [rows.get(connection, name) for name in rules.names(rule)]
    state = rules.state_of(rule, {part.name: part.state for part in parts})
    if state == row.state:
        return []
    said = "; ".join(f"{part.name} is {part.state}" + _because(part) for part in parts[:5])
    more = f" and {len(parts) - 5} more" if len(parts) > 5 else ""
    return [move(connection, row, Evaluation(state, said + more), cause)]


def _because(part: AlarmStatus) -> str:
    return f" ({part.reason[:200]})" if part.state == "ALARM" else ""


def _children(connection: Connection) -> dict[str, tuple[str, ...]]:
    found = rows.composites(connection)
    return {status.name: rules.names(rules.parse(status.definition.rule or "")) for status in found}


def _upwards(children: Mapping[str, Iterable[str]]) -> list[str]:
    """The alarms over others in an order in which each comes after those it names."""
    done: dict[str, None] = {}
    stack = [(name, False) for name in reversed(list(children))]
    while stack:
        name, ready = stack.pop()
        if ready:
            done[name] = None
        elif name not in done:
            stack.append((name, True))
            inner = [child for child in children[name] if child in children and child not in done]
            stack += [(child, False) for child in reversed(inner)]
    return list(done)


def _circle(children: Mapping[str, Iterable[str]], start: str) -> list[str]:
    """The way from an alarm back to itself, empty when there is none."""
    seen: set[str] = set()
    stack = [[start]]
    while stack:
        path = stack.pop()
        for child in children.get(path[-1], ()):
            if child == start:
                return [*path, child]
            if child not in seen:
                seen.add(child)
                stack.append([*path, child])
    return []
