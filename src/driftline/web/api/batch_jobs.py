"""``/api/batch-jobs``."""

from __future__ import annotations

from typing import Annotated

from litestar import MediaType, get, post
from litestar.params import JSONBody, QueryParameter

from driftline.resources.batch_jobs import BatchJob, NewBatchJob
from driftline.web.api.signature import Given, Maybe, Name


@get("/batch-jobs", sync_to_thread=True)
def list_batch_jobs(
    service: Given,
    kind: Maybe = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    offset: Annotated[int, QueryParameter(ge=0)] = 0,
) -> list[BatchJob]:
    """Batch jobs, newest first."""
    return service.list_batch_jobs(kind=kind, limit=limit, offset=offset)


@post("/batch-jobs", sync_to_thread=True)
def start_batch_job(service: Given, data: JSONBody[NewBatchJob]) -> BatchJob:
    """Ask for a job that runs once; the scheduler begins it within moments."""
    return service.start_batch_job(data.name, data.kind, data.settings)


@get("/batch-jobs/{name:str}", sync_to_thread=True)
def get_batch_job(service: Given, name: Name) -> BatchJob:
    """One batch job."""
    return service.get_batch_job(name)


@post("/batch-jobs/{name:str}/stop", sync_to_thread=True)
def stop_batch_job(service: Given, name: Name) -> BatchJob:
    """Stop a batch job that has not finished."""
    return service.stop_batch_job(name)


@get("/batch-jobs/{name:str}/log", sync_to_thread=True, media_type=MediaType.TEXT)
def batch_job_log(service: Given, name: Name) -> bytes:
    """What a job's process has printed so far, as text."""
    return service.batch_job_log(name)


HANDLERS = (list_batch_jobs, start_batch_job, get_batch_job, batch_job_log, stop_batch_job)
