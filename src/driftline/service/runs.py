"""Runs of a service's schedules."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from driftline.resources.executions import FINISHED, Execution
from driftline.service.shared_files import ReportFolders
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

    def report_folder(self, run: Execution) -> Path:
        """The folder of a run's report. What another node ran is fetched once the run has ended; raises
        :class:`UnreachableError` while it cannot be."""
        folder = self.layout.data / run.report
        if self._reports is None or run.status not in FINISHED:
            return folder
        return self._reports.have(folder)

    @cached_property
    def _reports(self) -> ReportFolders | None:
        return None if self.shared is None else ReportFolders(self.shared)

    def stop_run(self, run_id: str) -> Execution:
        """Stop a run that has not finished, and return it as it is then; :class:`ConflictError` when it has."""
        with self.store.write() as db:
            executions.stop(db, run_id, self.now())
            return executions.get(db, run_id)
