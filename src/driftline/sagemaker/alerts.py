"""The alert that every monitoring schedule has: how many of its last executions had violations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from driftline.resources.executions import Execution

NAME = "DefaultMonitoringAlert"
"""What the alert of a schedule is called."""
AlertStatus = Literal["InAlert", "OK"]


class AlertRule(msgspec.Struct, frozen=True):
    """In alert when ``datapoints`` of the last ``period`` executions had violations."""

    datapoints: int = 1
    period: int = 1


class Change(msgspec.Struct, frozen=True):
    """A status that began at a moment."""

    time: datetime
    status: AlertStatus


def changes(executions: Sequence[Execution], rule: AlertRule) -> list[Change]:
    """When the alert changed, oldest first, by executions of which the newest is first. It begins as OK, which is none
    of them. Executions that gave no verdict count as without violations."""
    ended = [one for one in reversed(executions) if one.status in ("Completed", "CompletedWithViolations")]
    found: list[Change] = []
    for place, execution in enumerate(ended):
        recent = ended[max(0, place + 1 - rule.period) : place + 1]
        many = sum(one.status == "CompletedWithViolations" for one in recent)
        status: AlertStatus = "InAlert" if many >= rule.datapoints else "OK"
        if status != (found[-1].status if found else "OK"):
            found.append(Change(execution.finished or execution.tick, status))
    return found
