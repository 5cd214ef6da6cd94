"""Transform jobs: a model over the objects of a bucket, done by the scheduler as a batch job."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.aws.context import Context, Operations
from driftline.aws.errors import validation
from driftline.aws.sagemaker.listing import Entry, page
from driftline.aws.sagemaker.models import kept
from driftline.aws.sagemaker.remembered import tags_of
from driftline.core.errors import NotFoundError
from driftline.resources.batch_jobs import ENDED, BatchJob
from driftline.resources.registered import Registered
from driftline.sagemaker.names import arn
from driftline.sagemaker.transform import described, failure_of, status_of, transform_settings

KIND = "transform-job"
_MOST = 10_000


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateTransformJob."""
    name = given["TransformJobName"]
    path, _ = kept(context, given["ModelName"])
    settings = msgspec.to_builtins(transform_settings(given, path))
    context.registry.add(KIND, name, given, now=context.now(), tags=tags_of(given))
    try:
        context.service.start_batch_job(name, "transform", settings)
    except Exception:
        context.registry.remove(KIND, name)
        raise
    return {"TransformJobArn": _arn(context, name)}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeTransformJob."""
    entry, job = _find(context, given["TransformJobName"])
    return described(entry.document, job) | {"TransformJobArn": _arn(context, entry.name)}


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListTransformJobs."""
    known = {entry.name for entry in context.registry.listing(KIND)}
    jobs = context.service.list_batch_jobs(kind="transform", limit=_MOST)
    return page((_entry(context, job) for job in jobs if job.name in known), given, "TransformJobSummaries")


def stop(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """StopTransformJob."""
    entry, job = _find(context, given["TransformJobName"])
    if job.status in ENDED:
        raise validation(f"The transform job {entry.name} cannot be stopped: it is {status_of(job)}.")
    context.service.stop_batch_job(entry.name)
    return {}


def _find(context: Context, name: str) -> tuple[Registered, BatchJob]:
    try:
        return context.registry.get(KIND, name), context.service.get_batch_job(name)
    except NotFoundError:
        raise validation(f"Could not find requested job with name: {name}") from None


def _entry(context: Context, job: BatchJob) -> Entry:
    modified = job.finished or job.started or job.created
    summary = {
        "TransformJobName": job.name,
        "TransformJobArn": _arn(context, job.name),
        "CreationTime": job.created,
        "LastModifiedTime": modified,
        "TransformJobStatus": status_of(job),
        **({} if job.finished is None else {"TransformEndTime": job.finished}),
        **failure_of(job),
    }
    return Entry(job.name, job.created, modified, status_of(job), summary)


def _arn(context: Context, name: str) -> str:
    return arn(context.region, context.account, KIND, name)


OPERATIONS: Operations = {
    "CreateTransformJob": create,
    "DescribeTransformJob": describe,
    "ListTransformJobs": listing,
    "StopTransformJob": stop,
}
