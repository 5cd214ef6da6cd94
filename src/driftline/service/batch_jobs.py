"""Batch jobs of a service: asked for here, done by its scheduler."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from driftline.core.errors import NotFoundError, ServiceError
from driftline.jobs.batch_kinds import log_of, read_settings
from driftline.resources.batch_jobs import ENDED, BatchJob
from driftline.service.wiring import Wiring
from driftline.storage import batch_jobs
from driftline.storage.layout import check_name


class BatchJobs(Wiring):
    """What a service does with jobs that run once."""

    def start_batch_job(self, name: str, kind: str, settings: dict[str, Any]) -> BatchJob:
        """Ask for a job; the scheduler does it within moments. Its settings are checked first.

        Raises :class:`InputError` for settings that its kind does not take, :class:`ConflictError` for a taken name.
        """
        check_name(name, "batch job")
        read_settings(kind, settings)
        with self.store.write() as db:
            return batch_jobs.add(db, name, kind, settings, now=self.now())

    def get_batch_job(self, name: str) -> BatchJob:
        """One batch job."""
        with self.store.read() as db:
            return batch_jobs.get(db, name)

    def list_batch_jobs(self, **filters: Any) -> list[BatchJob]:
        """Batch jobs, newest first; filters: kind, status, limit, offset."""
        with self.store.read() as db:
            return batch_jobs.listing(db, **filters)

    def stop_batch_job(self, name: str) -> BatchJob:
        """Stop a job that has not finished."""
        with self.store.write() as db:
            batch_jobs.stop(db, name, self.now())
            return batch_jobs.get(db, name)

    def batch_job_log(self, name: str) -> bytes:
        """What a job's process has printed so far; of a job that another node does, when it has ended."""
        path = self.job_log(self.get_batch_job(name))
        return path.read_bytes() if path.is_file() else b""

    def job_log(self, job: BatchJob) -> Path:
        """The file of a job's log, which may not be there; of a job that another node did it is fetched."""
        path = log_of(self.layout, job.name)
        if self.shared is not None and job.status in ENDED and not path.exists():
            # A log that is not there, or not now, is no reason to show nothing of the job.
            with suppress(NotFoundError, ServiceError):
                self.shared.have(path)
        return path
