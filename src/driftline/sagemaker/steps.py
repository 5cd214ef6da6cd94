"""The two steps of an execution, told as the processing jobs that clients look for."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, NamedTuple

from driftline.core.window import format_time, partition
from driftline.resources.executions import FINISHED, Execution
from driftline.sagemaker.definitions import Definition, with_defaults
from driftline.sagemaker.executions import LABELLED, ending, exit_message, is_merge, merged_uri, report_uri

_ROOT = "/opt/ml/processing"
_MERGER = "sagemaker-model-monitor-groundtruth-merger"
_RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
_MOST_INPUTS = 100


class Step(NamedTuple):
    """A step of an execution. ``document`` is the job definition as it was written, of either form; ``captures`` the
    address of the folder with the hours of captures, empty where it has none."""

    job: str
    execution: Execution
    definition: Definition
    document: dict[str, Any]
    captures: str
    variant: str


def described(step: Step) -> dict[str, Any]:
    """What DescribeProcessingJob tells of a step, without ARNs."""
    execution, merging = step.execution, is_merge(step.job)
    state = _state(step)
    found: dict[str, Any] = {
        "ProcessingJobName": step.job,
        "ProcessingJobStatus": state[0],
        "CreationTime": execution.created,
        "LastModifiedTime": execution.finished or execution.started or execution.created,
        "AppSpecification": {"ImageUri": _merger(step.definition.image) if merging else step.definition.image},
        "Environment": merge_environment(step) if merging else analysis_environment(step),
        "ProcessingInputs": _merge_inputs(step) if merging else _analysis_inputs(step),
        "ProcessingOutputConfig": _outputs(step),
    }
    told = {
        "FailureReason": state[1],
        "ExitMessage": state[2],
        "ProcessingStartTime": execution.started,
        "ProcessingEndTime": execution.finished,
    }
    return found | {key: value for key, value in told.items() if value is not None} | _asked(step.document)


def _state(step: Step) -> tuple[str, str | None, str | None]:
    """The step's status, why it failed, and its exit message."""
    state, finished = ending(step.execution, step.definition), step.execution.status in FINISHED
    if not finished:
        return "InProgress", None, None
    if is_merge(step.job):
        if state.merging:
            return "Failed", state.reason, f"Failed: {state.reason}"
        status = "Stopped" if state.status == "Stopped" else "Completed"
        return status, None, "Completed: Job completed successfully." if status == "Completed" else "Stopped."
    status = "Completed" if state.status == "CompletedWithViolations" else state.status
    return status, state.reason, exit_message(step.execution, step.definition)


def _asked(document: dict[str, Any]) -> dict[str, Any]:
    """What the job definition says of where and for how long its jobs run."""
    filled = with_defaults(document)
    resources = filled.get("JobResources") or filled.get("MonitoringResources") or _RESOURCES
    named = {key: filled[key] for key in ("RoleArn", "NetworkConfig", "StoppingCondition") if filled.get(key)}
    return {"ProcessingResources": resources} | named


def _merger(image: str) -> str:
    registry, slash, _ = image.rpartition("/")
    return f"{registry}{slash}{_MERGER}"


def merge_environment(step: Step) -> dict[str, str]:
    """The environment of the step that merges ground truth."""
    return {
        "dataset_source": _local(step),
        "ground_truth_source": f"{_ROOT}/groundtruth",
        "output_path": _output_path(step),
    }


def analysis_environment(step: Step) -> dict[str, str]:
    """The environment of the step that analyses; what the definition itself sets comes last."""
    execution, definition = step.execution, step.definition
    start = format_time(execution.window_start)
    found: dict[str, Any] = {
        "dataset_format": json.dumps(_dataset_format(definition)),
        "dataset_source": _local(step),
        "end_time": format_time(execution.window_end),
        "metric_time": start,
        "output_path": _output_path(step),
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_monitoring_schedule_name": execution.schedule,
        "start_time": start,
    }
    if not definition.batch:
        found["sagemaker_endpoint_name"] = execution.endpoint
    named = {
        "analysis_type": "MODEL_QUALITY" if definition.kind.type == "ModelQuality" else None,
        "problem_type": definition.problem_type,
        "inference_attribute": definition.source.get("InferenceAttribute"),
        "probability_attribute": definition.source.get("ProbabilityAttribute"),
        "probability_threshold_attribute": definition.source.get("ProbabilityThresholdAttribute"),
        "baseline_constraints": definition.constraints and f"{_ROOT}/baseline/constraints/constraints.json",
        "baseline_statistics": definition.statistics and f"{_ROOT}/baseline/stats/statistics.json",
        "record_preprocessor_script": definition.preprocessor and f"{_ROOT}/code/{_file(definition.preprocessor)}",
        "post_analytics_processor_script": definition.postprocessor
        and f"{_ROOT}/code/{_file(definition.postprocessor)}",
    }
    found |= {key: str(value) for key, value in named.items() if value is not None}
    return found | definition.environment


def _dataset_format(definition: Definition) -> dict[str, Any]:
    if definition.kind.type in LABELLED:
        return {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}
    if definition.batch:
        given: dict[str, dict[str, Any]] = definition.source["DatasetFormat"]
        return {kind.lower(): {key.lower(): value for key, value in one.items()} for kind, one in given.items()}
    return {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}


def _merge_inputs(step: Step) -> list[dict[str, Any]]:
    labels = (step.definition.ground_truth or "").rstrip("/")
    found = [
        _input(f"groundtruth_input_{number}", f"{labels}/{hour}", f"{_ROOT}/groundtruth/{hour}")
        for number, hour in enumerate(_hours(step), 1)
        if labels
    ]
    return found + _captured(step, step.captures)


def _analysis_inputs(step: Step) -> list[dict[str, Any]]:
    definition = step.definition
    merged = definition.kind.type in LABELLED and bool(definition.output)
    given = {
        "baseline": (definition.statistics, f"{_ROOT}/baseline/stats"),
        "constraints": (definition.constraints, f"{_ROOT}/baseline/constraints"),
        "analysis_config": (definition.config, f"{_ROOT}/input/analysis_config"),
    }
    found = [_input(name, uri, local) for name, (uri, local) in given.items() if uri]
    read = merged_uri(step.execution, definition, step.variant) if merged else step.captures
    return found + _captured(step, read)


def _captured(step: Step, uri: str) -> list[dict[str, Any]]:
    below = "" if step.definition.batch else f"/{step.execution.endpoint}/{step.variant}"
    return [
        _input(f"endpoint_input_{number}", f"{uri.rstrip('/')}/{hour}", f"{_local(step)}{below}/{hour}")
        for number, hour in enumerate(_hours(step), 1)
        if uri
    ]


def _hours(step: Step) -> list[str]:
    return [partition(hour) for hour in islice(step.execution.window.hours(), _MOST_INPUTS)]


def _input(name: str, uri: str, local: str) -> dict[str, Any]:
    where = {"S3Uri": uri, "LocalPath": local, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    how = {"S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}
    return {"InputName": name, "AppManaged": False, "S3Input": where | how}


def _outputs(step: Step) -> dict[str, Any]:
    definition, merging = step.definition, is_merge(step.job)
    if not definition.output:
        return {"Outputs": []}
    uri = f"{definition.output.rstrip('/')}/merge" if merging else report_uri(step.execution, definition)
    mode = "EndOfJob" if merging else "Continuous"
    where = {"S3Uri": uri, "LocalPath": _output_path(step), "S3UploadMode": mode}
    key = _output_config(step.document).get("KmsKeyId")
    found: dict[str, Any] = {"Outputs": [{"OutputName": "result", "AppManaged": False, "S3Output": where}]}
    return found if key is None else found | {"KmsKeyId": key}


def _output_config(document: dict[str, Any]) -> dict[str, Any]:
    return next((value for key, value in document.items() if key.endswith("OutputConfig")), {})


def _output_path(step: Step) -> str:
    outputs = _output_config(step.document).get("MonitoringOutputs")
    return str(outputs[0]["S3Output"]["LocalPath"]) if outputs else f"{_ROOT}/output"


def _local(step: Step) -> str:
    return str(step.definition.source.get("LocalPath") or f"{_ROOT}/input_data")


def _file(uri: str) -> str:
    return uri.rpartition("/")[2]
