"""What is said of a transition: as JSON for programs, as text for people. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.alerting.alarms import describe
from driftline.core.window import format_time
from driftline.resources.alarms import Alarm, Datapoint, Transition


def message(alarm: Alarm, transition: Transition, link: str | None) -> dict[str, Any]:
    """The JSON body of a notification: what changed, by how much, since when, and where it is shown.

    ``by`` is how far the newest breaching value lies beyond its limit; ``since`` the time of the first datapoint that
    breaches; ``text`` says all of it in a few lines.
    """
    said: dict[str, Any] = {
        "alarm": alarm.name,
        "from": transition.from_state,
        "to": transition.to_state,
        "reason": transition.reason,
        "time": format_time(transition.time),
        "since": format_time(since(transition)),
        "metric": alarm.metric,
        "namespace": alarm.namespace,
        "dimensions": alarm.dimensions,
        "threshold": alarm.threshold,
        "operator": alarm.operator,
        "by": excess(alarm, transition.datapoints),
        "datapoints": [describe(datapoint) for datapoint in transition.datapoints],
        "run": transition.run,
        "link": link,
    }
    if alarm.rule is not None:
        said = {key: value for key, value in said.items() if key not in _OF_METRICS} | {"rule": alarm.rule}
    return said | {"text": text_of(said)}


_OF_METRICS = frozenset({"metric", "namespace", "dimensions", "threshold", "operator", "by", "datapoints"})


def since(transition: Transition) -> datetime:
    """When it began: the first breaching datapoint of an ALARM, else the time of the transition."""
    times = [point.time for point in transition.datapoints if point.breaching]
    return min(times) if times and transition.to_state == "ALARM" else transition.time


def excess(alarm: Alarm, datapoints: tuple[Datapoint, ...]) -> float | None:
    """How far the newest breaching value lies beyond its limit, never negative; None when no value breaches.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 22, tzinfo=UTC)
    >>> excess(Alarm("a", "f2", "n", {}, "LessThanThreshold", 0.5), (Datapoint(at, 0.25, True),))
    0.25
    """
    values = [point for point in datapoints if point.breaching and point.value is not None]
    if not values:
        return None
    last = values[-1]
    known = [limit for limit in (alarm.threshold, last.lower, last.upper) if limit is not None]
    return min((abs((last.value or 0.0) - limit) for limit in known), default=None)


def text_of(said: dict[str, Any]) -> str:
    """A few lines for people."""
    by = said.get("by")
    where = ", ".join(f"{key} {value}" for key, value in said.get("dimensions", {}).items())
    lines = [
        f"{said['alarm']} is {said['to']} (was {said['from']})",
        said["reason"] + ("" if by is None else f"; beyond its limit by {by:.6g}"),
        f"since {said['since']}" + (f" ({where})" if where else ""),
    ]
    return "\n".join([*lines, *([said["link"]] if said.get("link") else [])])
