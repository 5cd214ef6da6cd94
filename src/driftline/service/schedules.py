"""Schedules of a service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.core.window import Window
from driftline.jobs import planning
from driftline.jobs import schedules as scheduling
from driftline.jobs.attributes import data_attributes
from driftline.jobs.overdue import overdue
from driftline.pipeline.programs import read_programs
from driftline.resources.executions import Execution, OverdueWindow
from driftline.resources.schedules import Schedule
from driftline.service.wiring import Wiring
from driftline.storage import endpoints, schedules


class Schedules(Wiring):
    """What a service does with schedules."""

    def create_schedule(self, name: str, *, endpoint: str, cron: str, **options: Any) -> Schedule:
        """A schedule on an endpoint; options as :func:`driftline.jobs.schedules.create_schedule` takes them."""
        self._check_program(options.get("attributes"))
        with self.store.write() as db:
            endpoints.get(db, endpoint)
            options.setdefault("problem_type", "BinaryClassification")
            return scheduling.create_schedule(db, name=name, endpoint=endpoint, cron=cron, now=self.now(), **options)

    def get_schedule(self, name: str) -> Schedule:
        """One schedule."""
        with self.store.read() as db:
            return schedules.get(db, name)

    def list_schedules(self) -> list[Schedule]:
        """Every schedule, by name."""
        with self.store.read() as db:
            return schedules.listing(db)

    def pause_schedule(self, name: str) -> Schedule:
        """Let no further tick become due."""
        with self.store.write() as db:
            return scheduling.pause_schedule(db, name)

    def resume_schedule(self, name: str) -> Schedule:
        """Go on from now."""
        with self.store.write() as db:
            return scheduling.resume_schedule(db, name, now=self.now())

    def update_schedule(self, name: str, **changes: Any) -> Schedule:
        """Change a schedule; names as :class:`~driftline.resources.schedules.ScheduleChange` has them."""
        self._check_program(changes.get("attributes"))
        with self.store.write() as db:
            if "endpoint" in changes:
                endpoints.get(db, changes["endpoint"])
            return scheduling.update_schedule(db, name, now=self.now(), **changes)

    def backfill_schedule(self, name: str, start: datetime, end: datetime) -> list[Execution]:
        """Ask for a run of every tick in (start, end] whose window has none; those that were added."""
        with self.store.write() as db:
            return planning.backfill(db, self.layout, name, start=start, end=end, now=self.now())

    def list_overdue(self) -> list[OverdueWindow]:
        """The windows that should have been judged by now."""
        with self.store.read() as db:
            return overdue(db, self.now())

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule with its runs; report files stay."""
        with self.store.write() as db:
            scheduling.delete_schedule(db, name)

    def run_schedule(self, name: str, window: Window | None = None) -> Execution:
        """Ask for a run now, of the last complete window or of one given; the scheduler takes it up at once."""
        with self.store.write() as db:
            return planning.run_now(db, self.layout, name, now=self.now(), window=window)

    def _check_program(self, attributes: dict[str, Any] | None) -> None:
        """Raises :class:`NotFoundError` for a program that the operator has not named in ``programs.toml``."""
        program = data_attributes(attributes or {}).program
        if program is not None:
            read_programs(self.layout.data).check(program)
