"""What an endpoint's schedules add up to, monitor by monitor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from driftline.storage.last_runs import LastSpoken

MONITORS = ("data-quality", "model-quality", "bias", "attribution")
RANKS = ("VIOLATED", "UNKNOWN", "WAITING", "OK", "PAUSED", "NONE")
"""States of a monitor and of an endpoint, the worst first. WAITING: scheduled, and no run has ended yet; NONE: nothing
watches it."""


class MonitorState(msgspec.Struct, frozen=True):
    """What a monitor says of an endpoint: the worst of its ``schedules`` (their number), with that one's latest run.

    ``overdue`` where a window should have been judged by now and is not: what is known is then too old to be OK.
    """

    monitor: str
    state: str
    schedule: str = ""
    run: str | None = None
    overdue: bool = False
    schedules: int = 0


def monitor_states(schedules: Sequence[LastSpoken], late: Collection[str]) -> tuple[MonitorState, ...]:
    """The states of the four monitors; ``late`` are the names of schedules with an overdue window."""
    return tuple(_state(monitor, [one for one in schedules if one.monitor == monitor], late) for monitor in MONITORS)


def worst_of(states: Iterable[str]) -> str:
    """The worst state; NONE of none."""
    return min(states, key=RANKS.index, default="NONE")


def state_of(schedule: LastSpoken, *, late: bool) -> str:
    """The state of one schedule."""
    if schedule.state == "paused":
        return "PAUSED"
    if schedule.run is None:
        return "UNKNOWN" if late else "WAITING"
    found = schedule.verdict or "UNKNOWN"
    return "UNKNOWN" if late and found == "OK" else found


def _state(monitor: str, schedules: Sequence[LastSpoken], late: Collection[str]) -> MonitorState:
    told = [
        MonitorState(
            monitor,
            state_of(one, late=one.name in late),
            one.name,
            one.run,
            one.name in late and one.state == "active",
            len(schedules),
        )
        for one in schedules
    ]
    return min(told, key=lambda one: RANKS.index(one.state), default=MonitorState(monitor, "NONE"))
