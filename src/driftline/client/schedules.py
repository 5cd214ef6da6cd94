"""Schedules: created, paused, resumed, deleted, run out of turn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.client.connection import Connection, instant, path_of
from driftline.core.documents import ProblemType
from driftline.resources.executions import Execution, RunWindow
from driftline.resources.schedules import NewSchedule, Schedule


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
    ) -> Schedule:
        """Judge an endpoint on a schedule. A run at a tick reads from the tick before it, plus the offsets.

        ``cron`` is in UTC, ``0 * * * *`` or ``cron(0 * ? * * *)``; offsets are ISO 8601 durations such as ``-PT2H``;
        ``baseline`` names one the service has; ``attributes`` say where the endpoint's answer holds the prediction
        (``probability_attribute``, ``probability_threshold``, ``inference_attribute``: a CSV column or a JMESPath).
        Raises :class:`ConflictError` for a name that is taken, :class:`InputError` for what cannot run.
        """
        asked = NewSchedule(
            name, endpoint, cron, monitor, problem_type, attributes or {}, start_offset, end_offset, baseline
        )
        return self._write("POST", path_of("schedules"), Schedule, asked)

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
