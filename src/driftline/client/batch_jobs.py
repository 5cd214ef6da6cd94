"""Batch jobs: work that the service is asked for once."""

from __future__ import annotations

import time
from typing import Any

from driftline.client.connection import Connection, path_of
from driftline.core.errors import ServiceError
from driftline.resources.batch_jobs import ENDED, BatchJob, NewBatchJob


class BatchJobs(Connection):
    """What a client can ask of batch jobs."""

    def list_batch_jobs(self, *, kind: str | None = None, limit: int = 100, offset: int = 0) -> list[BatchJob]:
        """Batch jobs, newest first, of a kind if given; ``limit`` is at most 1000."""
        return self._get(path_of("batch-jobs"), list[BatchJob], kind=kind, limit=limit, offset=offset)

    def get_batch_job(self, name: str) -> BatchJob:
        """One batch job."""
        return self._get(path_of("batch-jobs", name), BatchJob)

    def start_batch_job(self, name: str, kind: str, settings: dict[str, Any]) -> BatchJob:
        """Ask for a job of a kind, such as ``baseline``; the scheduler begins it within moments."""
        return self._write("POST", path_of("batch-jobs"), BatchJob, NewBatchJob(name, kind, settings))

    def stop_batch_job(self, name: str) -> BatchJob:
        """Stop a job that has not finished; raises :class:`ConflictError` for one that has."""
        return self._write("POST", path_of("batch-jobs", name, "stop"), BatchJob)

    def batch_job_log(self, name: str) -> bytes:
        """What a job's process has printed so far."""
        return self._send("GET", path_of("batch-jobs", name, "log")).content

    def wait_for_batch_job(self, name: str, *, timeout: float = 600.0) -> BatchJob:
        """The job once it has finished; :class:`ServiceError` when it has not within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (job := self.get_batch_job(name)).status not in ENDED:
            if time.monotonic() > deadline:
                what, hint = f"batch job {name} is still {job.status} after {timeout:g} s", "see its log"
                raise ServiceError(what, hint=f"{hint}, or whether the scheduler works: driftline doctor")
            time.sleep(0.05)
        return job
