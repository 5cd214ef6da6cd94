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
