"""Runs: what was judged, and waiting for one."""

from __future__ import annotations

import time

from driftline.client.connection import Connection, path_of
from driftline.core.errors import ServiceError
from driftline.resources.executions import FINISHED, Execution


class Runs(Connection):
    """What a client can ask of runs."""

    def list_runs(
        self, *, schedule: str | None = None, endpoint: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[Execution]:
        """Runs, newest first, of a schedule or an endpoint if given; ``limit`` is at most 1000.

        They come without statistics, rejects and trace; :meth:`get_run` gives one whole.
        """
        query = {"schedule": schedule, "endpoint": endpoint, "limit": limit, "offset": offset}
        return self._get(path_of("runs"), list[Execution], **query)

    def get_run(self, run_id: str) -> Execution:
        """One run, whole."""
        return self._get(path_of("runs", run_id), Execution)

    def stop_run(self, run_id: str) -> Execution:
        """Stop a run that has not finished, and return it; :class:`ConflictError` when it has."""
        return self._write("POST", path_of("runs", run_id, "stop"), Execution)

    def wait_for_run(self, run_id: str, *, timeout: float = 600.0) -> Execution:
        """The run once it has finished; :class:`ServiceError` when it has not within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            run = self.get_run(run_id)
            if run.status in FINISHED:
                return run
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"run {run_id} is still {run.status} after {timeout:g} s",
                    hint="see whether the scheduler works: driftline doctor",
                )
            time.sleep(0.05)
