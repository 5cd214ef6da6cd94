"""A transform job's request as the service knows it, and what it asks of a batch transform here."""

from __future__ import annotations

from typing import Any

from driftline.core.errors import InputError
from driftline.core.uris import object_uri
from driftline.resources.batch_jobs import BatchJob
from driftline.resources.transforms import TransformSettings

_STATUS = {"Pending": "InProgress"}
_SHOWN = (
    "TransformJobName",
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "DataCaptureConfig",
    "TransformResources",
    "ExperimentConfig",
)


def transform_settings(document: dict[str, Any], model_path: str) -> TransformSettings:
    """What a request asks for, of a model that is kept in the data folder.

    Raises :class:`InputError` for records that are not read here.
    """
    given, written = document["TransformInput"], document["TransformOutput"]
    source = given["DataSource"]["S3DataSource"]
    captured, processing = document.get("DataCaptureConfig") or {}, document.get("DataProcessing") or {}
    _one_of("S3DataType", source["S3DataType"], "S3Prefix", "ManifestFile")
    _one_of("SplitType", given.get("SplitType", "None"), "None", "Line")
    for uri in filter(None, (source["S3Uri"], written["S3OutputPath"], captured.get("DestinationS3Uri"))):
        object_uri(uri)
    return TransformSettings(
        model_path=model_path,
        input=source["S3Uri"],
        manifest=source["S3DataType"] == "ManifestFile",
        output=written["S3OutputPath"],
        content_type=given.get("ContentType") or "text/csv",
        gzip=given.get("CompressionType") == "Gzip",
        split=given.get("SplitType", "None"),
        accept=written.get("Accept") or "",
        assemble=written.get("AssembleWith", "None"),
        input_filter=processing.get("InputFilter") or "$",
        output_filter=processing.get("OutputFilter") or "$",
        join=processing.get("JoinSource") == "Input",
        capture=captured.get("DestinationS3Uri", ""),
        generate_ids=bool(captured.get("GenerateInferenceId")),
    )


def _one_of(name: str, value: str, *known: str) -> None:
    if value not in known:
        raise InputError(f"{name} {value} is not read here", hint=f"use {' or '.join(known)}")


def status_of(job: BatchJob) -> str:
    """The status of a job as the service calls it, which knows no waiting."""
    return _STATUS.get(job.status, job.status)


def described(document: dict[str, Any], job: BatchJob) -> dict[str, Any]:
    """What is told of a job: its request with the defaults, and how it stands."""
    found = {key: document[key] for key in _SHOWN if key in document}
    found["TransformInput"] = {"CompressionType": "None", "SplitType": "None", **document["TransformInput"]}
    found["TransformOutput"] = {"AssembleWith": "None", **document["TransformOutput"]}
    processing = document.get("DataProcessing") or {}
    found["DataProcessing"] = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None", **processing}
    found |= {"CreationTime": job.created, "TransformJobStatus": status_of(job)}
    times = {"TransformStartTime": job.started, "TransformEndTime": job.finished}
    found |= {name: time for name, time in times.items() if time is not None}
    return found | failure_of(job)


def failure_of(job: BatchJob) -> dict[str, str]:
    """Why a job failed, in at most 1024 characters; nothing of one that did not."""
    return {"FailureReason": (job.error or job.message or "it failed")[:1024]} if job.status == "Failed" else {}
