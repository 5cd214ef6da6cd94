"""Runs of a service's schedules."""

from __future__ import annotations

from typing import Any

from driftline.resources.executions import Execution
from driftline.service.wiring import Wiring
from driftline.storage import executions


class Runs(Wiring):
    """What a service tells of its runs."""

    def get_run(self, run_id: str) -> Execution:
        """One run, whole."""
        with self.store.read() as db:
            return executions.get(db, run_id)

    def list_runs(self, **filters: Any) -> list[Execution]:
        """Runs, newest first; filters: schedule, endpoint, status, since, until, limit, offset."""
        with self.store.read() as db:
            return executions.listing(db, **filters)

    def find_run(self, beginning: str) -> Execution | None:
        """The run whose id begins so; None when there is none."""
        with self.store.read() as db:
            return executions.find(db, beginning)

    def stop_run(self, run_id: str) -> Execution:
        """Stop a run that has not finished, and return it as it is then; :class:`ConflictError` when it has."""
        with self.store.write() as db:
            executions.stop(db, run_id, self.now())
            return executions.get(db, run_id)
