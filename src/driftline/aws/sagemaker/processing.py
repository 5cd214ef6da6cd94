"""Processing jobs: baselines, and what images of the operator stand for, as batch jobs."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError, validation
from driftline.aws.sagemaker import executions, models
from driftline.aws.sagemaker.listing import Entry, page
from driftline.aws.sagemaker.remembered import tags_of
from driftline.core.errors import ConflictError, DriftlineError, InputError, NotFoundError
from driftline.core.uris import object_uri
from driftline.resources.batch_jobs import BatchJob
from driftline.resources.registered import Registered
from driftline.sagemaker.names import arn
from driftline.sagemaker.processing import analyzer_settings, clarify_settings, config_of, described, part_of
from driftline.service.images import read_images

KIND = "processing-job"


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateProcessingJob: a baseline, which the scheduler begins within moments."""
    name = given["ProcessingJobName"]
    settings = _settings(context, given)
    try:
        context.registry.add(KIND, name, given, now=context.now(), tags=tags_of(given))
    except ConflictError:
        named = _arn(context, name)
        what = f"Job name must be unique within an AWS account and region, and a job with this name exists: {named}"
        raise AwsError("ResourceInUse", what) from None
    try:
        context.service.start_batch_job(name, "baseline", settings)
    except DriftlineError:
        context.registry.remove(KIND, name)
        raise
    return {"ProcessingJobArn": _arn(context, name)}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeProcessingJob; also of the jobs that executions of schedules are shown as."""
    name = given["ProcessingJobName"]
    try:
        entry, job = context.registry.get(KIND, name), context.service.get_batch_job(name)
    except NotFoundError:
        found = executions.describe_job(context, name)
        if found is None:
            raise _missing(name) from None
        return found
    return described(entry.document) | _state(context, entry, job) | _times(job)


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListProcessingJobs: those that clients created."""
    jobs = {job.name: job for job in context.service.list_batch_jobs(kind="baseline", limit=10_000)}
    entries = []
    for entry in context.registry.listing(KIND):
        if (job := jobs.get(entry.name)) is not None:
            summary = _state(context, entry, job) | _times(job)
            summary.pop("ProcessingStartTime", None)
            modified = summary["LastModifiedTime"]
            entries.append(Entry(entry.name, job.created, modified, summary["ProcessingJobStatus"], summary))
    return page(entries, given, "ProcessingJobSummaries")


def stop(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """StopProcessingJob; also of a step of an execution, which ends the run."""
    name = given["ProcessingJobName"]
    try:
        if not executions.stop_job(context, name):
            context.registry.get(KIND, name)
            context.service.stop_batch_job(name)
    except NotFoundError:
        raise _missing(name) from None
    except ConflictError as error:
        raise validation(f"The request was rejected: {error.what}") from None
    return {}


def _settings(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """What the image stands for, told what the request says."""
    image = given["AppSpecification"]["ImageUri"]
    part = read_images(context.service.layout).expect(image).part
    if part == "analyzer":
        return analyzer_settings(given)
    if part == "clarify":
        config = _config(context, config_of(given))
        return clarify_settings(given, config) | _model(context, config)
    hint = 'to have it analysed as a baseline is, write it into images.toml with as = "analyzer" or as = "clarify"'
    raise validation(f"the image {image} stands for nothing that a processing job can run here; {hint}")


def _config(context: Context, uri: str) -> dict[str, Any] | None:
    """The analysis configuration; None when there is no such object, which the job will tell."""
    try:
        return msgspec.json.decode(context.objects.read(object_uri(uri)), type=dict[str, Any])
    except NotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"{uri} is no JSON object", evidence=str(error), hint="upload it again") from None


def _model(context: Context, config: dict[str, Any] | None) -> dict[str, Any]:
    """The model that the configuration's predictor names, or that of its endpoint; nothing where there is none."""
    predictor = part_of(config, "predictor")
    if name := predictor.get("model_name"):
        path, description = models.kept(context, name)
    elif name := predictor.get("endpoint_name"):
        endpoint = context.service.get_endpoint(name)
        path, description = endpoint.model_path, endpoint.model
    else:
        return {}
    return {"model": path, "model_description": msgspec.to_builtins(description)} if path else {}


def _state(context: Context, entry: Registered, job: BatchJob) -> dict[str, Any]:
    status = "InProgress" if job.status == "Pending" else job.status
    found = {
        "ProcessingJobName": entry.name,
        "ProcessingJobArn": _arn(context, entry.name),
        "ProcessingJobStatus": status,
    }
    if job.finished is not None:
        found["ExitMessage"] = (job.message or "")[:1024]
    if job.status == "Failed":
        found["FailureReason"] = " ".join((job.error or job.message or "").split())[:1024]
    return found


def _times(job: BatchJob) -> dict[str, Any]:
    times = {
        "CreationTime": job.created,
        "ProcessingStartTime": job.started,
        "ProcessingEndTime": job.finished,
        "LastModifiedTime": job.finished or job.started or job.created,
    }
    return {name: time for name, time in times.items() if time is not None}


def _missing(name: str) -> AwsError:
    return AwsError("ResourceNotFound", f"Could not find requested job with name: {name}")


def _arn(context: Context, name: str) -> str:
    return arn(context.region, context.account, KIND, name)


OPERATIONS: Operations = {
    "CreateProcessingJob": create,
    "DescribeProcessingJob": describe,
    "ListProcessingJobs": listing,
    "StopProcessingJob": stop,
}
