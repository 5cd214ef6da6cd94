"""Schedules: created, paused, resumed, deleted, run out of turn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.client.connection import Connection, instant, path_of
from driftline.core.documents import ProblemType
from driftline.resources.executions import Backfill, Execution, OverdueWindow, RunWindow
from driftline.resources.schedules import CatchUp, NewSchedule, Schedule, ScheduleChange


class Schedules(Connection):
    """What a client can ask of schedules."""

    def list_schedules(self) -> list[Schedule]:
        """Every schedule, by name."""
        return self._get(path_of("schedules"), list[Schedule])

    def get_schedule(self, name: str) -> Schedule:
        """One schedule."""
        return self._get(path_of("schedules", name), Schedule)

    def create_schedule(
        self,
        name: str,
        *,
        endpoint: str,
        cron: str,
        attributes: dict[str, Any] | None = None,
        baseline: str | None = None,
        monitor: str = "model-quality",
        problem_type: ProblemType = "BinaryClassification",
        start_offset: str = "PT0S",
        end_offset: str = "PT0S",
        catch_up: CatchUp = "all",
        time_limit: float = 1800.0,
        memory_limit: int = 2 << 30,
        rejudge_step: float = 0.05,
    ) -> Schedule:
        """Judge an endpoint on a schedule. A run at a tick reads from the tick before it, plus the offsets.

        ``cron`` is in UTC, ``0 * * * *`` or ``cron(0 * ? * * *)``; offsets are ISO 8601 durations such as ``-PT2H``;
        ``baseline`` names one the service has; ``attributes`` say where the endpoint's answer holds the prediction
        (``probability_attribute``, ``probability_threshold``, ``inference_attribute``: a CSV column or a JMESPath), or
        name a ``program`` of the service's ``programs.toml`` that takes the place of the analysis. Raises
        :class:`ConflictError` for a name that is taken, :class:`InputError` for what cannot run, and
        :class:`NotFoundError` for a program or a baseline that is not there.
        """
        asked = NewSchedule(
            name,
            endpoint,
            cron,
            monitor,
            problem_type,
            attributes or {},
            start_offset,
            end_offset,
            baseline,
            catch_up,
            time_limit,
            memory_limit,
            rejudge_step,
        )
        return self._write("POST", path_of("schedules"), Schedule, asked)

    def update_schedule(self, name: str, **changes: Any) -> Schedule:
        """Change a schedule; names as :class:`ScheduleChange` has them. Ticks to come follow the change."""
        return self._write("PATCH", path_of("schedules", name), Schedule, ScheduleChange(**changes))

    def backfill_schedule(self, name: str, start: datetime, end: datetime) -> list[Execution]:
        """Ask for a run of every tick in (start, end] whose window has none; those that were added."""
        asked = Backfill(start.isoformat(), end.isoformat())
        return self._write("POST", path_of("schedules", name, "backfill"), list[Execution], asked)

    def list_overdue(self) -> list[OverdueWindow]:
        """The windows that should have been judged by now."""
        return self._get(path_of("overdue"), list[OverdueWindow])

    def pause_schedule(self, name: str) -> Schedule:
        """Let no further run become due; pausing twice changes nothing."""
        return self._write("POST", path_of("schedules", name, "pause"), Schedule)

    def resume_schedule(self, name: str) -> Schedule:
        """Go on from now."""
        return self._write("POST", path_of("schedules", name, "resume"), Schedule)

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule with its runs; report files stay."""
        self._delete(path_of("schedules", name))

    def run_schedule(self, name: str, *, start: datetime | None = None, end: datetime | None = None) -> Execution:
        """Ask for a run now: of the last complete window, or of [start, end). See :meth:`Client.wait_for_run`."""
        window = RunWindow(instant(start), instant(end))
        return self._write("POST", path_of("schedules", name, "run"), Execution, window)
