"""Schedules: when which windows of an endpoint are judged."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

ScheduleState = Literal["active", "paused"]
CatchUp = Literal["all", "latest"]


class NewSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule to create; ``baseline`` names one that the service has.

    ``cron`` is in UTC, the offsets are ISO 8601 durations such as ``-PT2H``.
    """

    name: str
    endpoint: str
    cron: str
    monitor: str = "model-quality"
    problem_type: str = "BinaryClassification"
    attributes: dict[str, Any] = {}
    start_offset: str = "PT0S"
    end_offset: str = "PT0S"
    baseline: str | None = None
    catch_up: CatchUp = "all"
    time_limit: float = 1800.0
    memory_limit: int = 2 << 30
    rejudge_step: float = 0.05


class ScheduleChange(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What to change of a schedule; what is left out stays."""

    cron: str | None = None
    start_offset: str | None = None
    end_offset: str | None = None
    baseline: str | None = None
    problem_type: str | None = None
    attributes: dict[str, Any] | None = None
    catch_up: CatchUp | None = None
    time_limit: float | None = None
    memory_limit: int | None = None
    rejudge_step: float | None = None

    def changes(self) -> dict[str, Any]:
        """What was given, by name."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


class Schedule(msgspec.Struct, frozen=True):
    """A recurring run. Offsets are ISO 8601 durations added to the window's start and end; ``cron`` is in UTC.

    Every tick up to and including ``last_tick`` has its execution (or fell in a pause); ``next_tick`` is the first
    one after it, None when the cron expression has none left. ``catch_up`` says which windows run that were missed
    while nothing ran. A run is stopped after ``time_limit`` seconds, or when it needs more than ``memory_limit`` bytes.
    A window is judged again when labels that came late make the share of labelled predictions grow by
    ``rejudge_step``; 0 means never.
    """

    name: str
    endpoint: str
    monitor: str
    cron: str
    start_offset: str
    end_offset: str
    baseline: str | None
    problem_type: str
    attributes: dict[str, Any]
    state: ScheduleState
    created: datetime
    last_tick: datetime
    next_tick: datetime | None
    catch_up: CatchUp = "all"
    time_limit: float = 1800.0
    memory_limit: int = 2 << 30
    rejudge_step: float = 0.05

    @property
    def of_batches(self) -> bool:
        """Whether it looks at what batch transforms captured, in the place of an endpoint's requests."""
        return self.attributes.get("transform") is not None
