"""What runs wait for where many nodes capture: until all captures of a window are in the store, or for a grace time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftline.core.errors import InputError
from driftline.core.verdict import Reason
from driftline.core.window import Window, format_time
from driftline.storage import nodes, schedules
from driftline.storage.executions import Complete
from driftline.storage.nodes import Node

GRACE_VARIABLE = "DRIFTLINE_CAPTURE_GRACE"
"""The variable that says how many seconds of the schedules' time after its tick a window waits for captures."""
PATIENCE_VARIABLE = "DRIFTLINE_STORE_PATIENCE"
"""The variable that says how many seconds a run is tried again while the store cannot be reached."""
LIVE = timedelta(minutes=2)
"""A node that was not seen for so long is not waited for."""
MISSED = timedelta(days=1)
"""So long a node that was lost is named as one whose captures are missing."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=2)


def grace() -> timedelta:
    """How long after its tick a window waits at most for captures."""
    return _seconds(GRACE_VARIABLE, 600.0)


def patience() -> timedelta:
    """How long a run is tried again while the store cannot be reached."""
    return _seconds(PATIENCE_VARIABLE, 3600.0)


def complete(connection: Connection, now: datetime, real: datetime) -> Complete:
    """Which runs need not wait: ``now`` is the schedules' time, ``real`` the nodes'. Schedules of batch transforms read
    what no node captures."""
    batches = tuple(schedules.batch_endpoints(connection))
    return Complete(nodes.captured_until(connection, real - LIVE), now - grace(), batches)


def missing(connection: Connection, window: Window, real: datetime) -> list[Node]:
    """The nodes whose captures of a window may not be in the store, by name: those that are behind, and those that
    were lost less than a day ago."""
    return [
        node
        for node in nodes.listing(connection)
        if node.captured_until is not None and node.captured_until < window.end and node.seen >= real - MISSED
    ]


def incomplete(found: Sequence[Node]) -> Reason:
    """What is said of a window that was judged without the captures of some nodes."""
    since = {node.name: format_time(node.captured_until) for node in found if node.captured_until is not None}
    said = f"captures may be missing that were not in the store when the run began: {_listed(since)}"
    return Reason("captures_missing", said, since)


def awaited(every: Sequence[Node], window: Window) -> str:
    """What a window waits for, in words; empty where it waits for no node. Lost nodes, that
    were not seen for long when others were, are not waited for."""
    newest = max((node.seen for node in every), default=None)
    behind = {
        node.name: format_time(node.captured_until)
        for node in every
        if newest is not None and node.seen >= newest - LIVE
        if node.captured_until is not None and node.captured_until < window.end
    }
    return f"waits for captures: {_listed(behind)}" if behind else ""


def pause(waited: timedelta) -> timedelta:
    """How long it is until a run is tried again that has waited so long: each pause is as long as all before it.

    >>> pause(timedelta(0)).total_seconds(), pause(timedelta(seconds=40)).total_seconds()
    (5.0, 40.0)
    """
    return min(max(waited, FIRST_PAUSE), LONGEST_PAUSE)


def _listed(since: dict[str, str]) -> str:
    return "; ".join(f"those of {name} since {moment}" for name, moment in sorted(since.items()))


def _seconds(variable: str, usual: float) -> timedelta:
    text = os.environ.get(variable, "").strip()
    try:
        return timedelta(seconds=float(text or usual))
    except (ValueError, OverflowError):
        hint = f"set {variable} to a number of seconds, such as {usual:g}"
        raise InputError(f"{variable} is no number of seconds", evidence=repr(text[:40]), hint=hint) from None
