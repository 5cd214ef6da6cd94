"""What will not be as it was, and what has no counterpart here. Pure."""

from __future__ import annotations

from typing import Any

from driftline.account.reading import EndpointRead, ScheduleRead
from driftline.sagemaker.definitions import Definition

_TOLD = {"publish_cloudwatch_metrics"}
_HISTORY = "executions there stay there; driftline schedule backfill judges earlier windows here"


def without_counterpart(read: EndpointRead) -> str | None:
    """Why an endpoint cannot be watched here; None where it can."""
    config = read.config or read.description
    capture = read.config.get("DataCaptureConfig") or read.description.get("DataCaptureConfig")
    variants = config.get("ProductionVariants") or []
    if config.get("AsyncInferenceConfig"):
        return "asynchronous inference: nothing of it is captured"
    if any(one.get("ServerlessConfig") or one.get("CurrentServerlessConfig") for one in variants):
        return "serverless: nothing of it is captured"
    if not capture:
        return "nothing of it is captured; driftline.capture or a proxy can record its requests here"
    if len(variants) > 1 or config.get("ShadowProductionVariants"):
        return f"{len(variants)} production variants, or shadow variants: an endpoint has one here"
    return None


def of_endpoint(read: EndpointRead) -> tuple[str, ...]:
    """What of an endpoint will differ."""
    capture = read.config.get("DataCaptureConfig") or read.description.get("DataCaptureConfig") or {}
    found = []
    if not capture.get("EnableCapture", True):
        found.append("capture is stopped there: only what was captured before can be judged")
    if capture.get("KmsKeyId"):
        found.append("its captures are encrypted: whoever reads them needs the right to use that KMS key")
    return tuple(found)


def of_definition(read: ScheduleRead, definition: Definition, output: str) -> tuple[tuple[str, ...], bool]:
    """What of a schedule whose results are written to ``output`` will differ, and whether it has to be paused."""
    found = [*_of_document(read.document), _HISTORY]
    if output == definition.output:
        found.append(f"writes to {output} as the schedule there does: stop that one, or give --output")
    told = sorted(set(definition.environment) - _TOLD)
    if told:
        found.append(f"its job's variables {', '.join(told)} are not set here")
    state = read.description.get("MonitoringScheduleStatus", "Scheduled")
    if state != "Scheduled":
        found.append(f"paused, for it is {state} there")
    explained = definition.kind.monitor == "attribution"
    if explained:
        found.append(
            "paused, for its runs need the model: deploy its file to this endpoint (driftline deploy), or name a server"
            " that answers for it (driftline endpoint proxy); then driftline schedule resume"
        )
    return tuple(found), explained or state != "Scheduled"


def _of_document(document: dict[str, Any]) -> list[str]:
    """What the job definition says of where its jobs run."""
    found = []
    outputs: dict[str, Any] = next((value for key, value in document.items() if key.endswith("OutputConfig")), {})
    cluster = (document.get("JobResources") or document.get("MonitoringResources") or {}).get("ClusterConfig") or {}
    network = document.get("NetworkConfig") or {}
    if outputs.get("KmsKeyId"):
        found.append("results are written without that KMS key, as the bucket encrypts by itself")
    if cluster.get("InstanceType"):
        found.append(f"runs on this machine, not on {cluster.get('InstanceCount', 1)} × {cluster['InstanceType']}")
    if network.get("VpcConfig"):
        found.append("its VPC settings have no counterpart: jobs run where driftline runs")
    if network.get("EnableNetworkIsolation"):
        found.append("network isolation has no counterpart")
    return found
