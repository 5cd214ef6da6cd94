"""Requests for processing jobs, read as what a baseline job is told."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import msgspec

from driftline.core.errors import InputError

MOST_SECONDS = 86400
"""The time limit of a job that asks for none."""
_ROOT = "/opt/ml/processing"
_OUTPUT = f"{_ROOT}/output"
_CAPTURES = ("sagemakerCaptureJson", "sagemakerMergeJson")


def analyzer_settings(document: dict[str, Any]) -> dict[str, Any]:
    """What a request that runs the monitor's analyzer asks for, as the settings of a baseline job.

    Raises :class:`InputError` for what its environment leaves open or what is not analysed here.
    """
    given = document.get("Environment") or {}
    settings = {
        "dataset": source_of(document, _needed(given, "dataset_source")),
        "output": target_of(document, given.get("output_path", _OUTPUT)),
        "format": format_of(_needed(given, "dataset_format")),
        **_limits(document),
    }
    for key, name in (
        ("baseline_constraints", "constraints"),
        ("baseline_statistics", "statistics"),
        ("record_preprocessor_script", "preprocessor"),
        ("post_analytics_processor_script", "postprocessor"),
    ):
        if given.get(key):
            settings[name] = source_of(document, given[key])
    if given.get("categorical_drift_method"):
        settings["categorical_drift_method"] = given["categorical_drift_method"]
    if given.get("analysis_type", "").upper() != "MODEL_QUALITY":
        return settings | {"monitor": "data-quality"}
    return settings | {"monitor": "model-quality", "columns": _columns(given)}


def clarify_settings(document: dict[str, Any], config: dict[str, Any] | None) -> dict[str, Any]:
    """What a request that runs Clarify asks for; ``config`` is its analysis configuration, None while it is not there:
    then the job will say so."""
    methods = part_of(config, "methods")
    biased = any(key in methods for key in ("pre_training_bias", "post_training_bias"))
    return {
        "monitor": "attribution" if "shap" in methods and not biased else "bias",
        "dataset": _input(document, "dataset", f"{_ROOT}/input/data"),
        "output": target_of(document, _OUTPUT),
        "analysis_config": config_of(document) if config is None else config,
        **_limits(document),
    }


def part_of(config: dict[str, Any] | None, key: str) -> dict[str, Any]:
    """A part of an analysis configuration; empty where it is none, which the job will say."""
    found = (config or {}).get(key)
    return found if isinstance(found, dict) else {}


def config_of(document: dict[str, Any]) -> str:
    """The URI of the analysis configuration of a request that runs Clarify."""
    return _input(document, "analysis_config", f"{_ROOT}/input/config")


def format_of(text: str) -> dict[str, Any]:
    """How a dataset is read, from the JSON text that says so.

    >>> format_of('{"csv": {"header": true, "output_columns_position": "START"}}')
    {'kind': 'csv', 'header': True}
    >>> format_of('{"json": {"lines": true}}')
    {'kind': 'json', 'lines': True}
    """
    try:
        found = msgspec.json.decode(text, type=dict[str, dict[str, Any]])
        kind, options = next(iter(found.items()))
    except (msgspec.DecodeError, UnicodeError, StopIteration):
        hint = 'write it as {"csv": {"header": true}}'
        raise InputError("dataset_format is no format", evidence=text[:200], hint=hint) from None
    if kind in _CAPTURES:
        hint = "create a monitoring schedule, which reads captures; a processing job reads csv, json or parquet"
        raise InputError(f"a processing job reads no {kind}", hint=hint)
    wanted = {"csv": {"header": options.get("header")}, "json": {"lines": options.get("lines", True)}, "parquet": {}}
    if kind not in wanted:
        raise InputError(f"dataset_format {kind!r} is not known", hint=f"use one of {', '.join(wanted)}")
    return {"kind": kind, **wanted[kind]}


def source_of(document: dict[str, Any], path: str) -> str:
    """The URI of what a path in the container holds: the input at it, around it, or the only one below it.

    >>> given = {"S3Uri": "s3://bucket/base", "LocalPath": "/opt/ml/processing/base"}
    >>> source_of({"ProcessingInputs": [{"S3Input": given}]}, "/opt/ml/processing/base/constraints.json")
    's3://bucket/base/constraints.json'
    """
    inputs = [one["S3Input"] for one in document.get("ProcessingInputs") or () if one.get("S3Input")]
    return _located(path, inputs, "input")


def target_of(document: dict[str, Any], path: str) -> str:
    """The URI below which what is written at a path in the container ends up."""
    outputs = (document.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    return _located(path, [one["S3Output"] for one in outputs if one.get("S3Output")], "output")


def described(document: dict[str, Any]) -> dict[str, Any]:
    """A request as it is described, with what the service fills in."""
    shown = {key: value for key, value in document.items() if key != "Tags"}
    shown["StoppingCondition"] = {"MaxRuntimeInSeconds": MOST_SECONDS, **(document.get("StoppingCondition") or {})}
    if "ProcessingInputs" in document:
        shown["ProcessingInputs"] = [_input_shown(one) for one in document["ProcessingInputs"]]
    if config := document.get("ProcessingOutputConfig"):
        outputs = [{"AppManaged": False, **one} for one in config.get("Outputs") or ()]
        shown["ProcessingOutputConfig"] = {**config, "Outputs": outputs}
    if "NetworkConfig" in document:
        unset = {"EnableInterContainerTrafficEncryption": False, "EnableNetworkIsolation": False}
        shown["NetworkConfig"] = unset | document["NetworkConfig"]
    return shown


def _input_shown(one: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"AppManaged": False, **one}
    if "S3Input" in one:
        unset = {"S3InputMode": "File", "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}
        found["S3Input"] = unset | one["S3Input"]
    return found


def _located(path: str, places: list[dict[str, Any]], what: str) -> str:
    wanted = PurePosixPath(path)
    local = {PurePosixPath(place["LocalPath"]): place["S3Uri"] for place in places if place.get("LocalPath")}
    around = [one for one in local if wanted == one or one in wanted.parents]
    if around:
        nearest = max(around, key=lambda one: len(one.parts))
        rest = wanted.relative_to(nearest)
        uri: str = local[nearest]
        # Of an input that is a single object the container sees a folder with it.
        single = uri.rpartition("/")[2] == rest.name
        return uri if single or rest == PurePosixPath(".") else f"{uri.rstrip('/')}/{rest}"
    below = [uri for one, uri in local.items() if wanted in one.parents]
    if len(below) == 1:
        return str(below[0])
    hint = f"give an {what} whose LocalPath is {path}"
    seen = f"their paths are: {', '.join(map(str, local)) or 'none'}"
    raise InputError(f"no {what} of the job is at {path}", evidence=seen, hint=hint)


def _input(document: dict[str, Any], name: str, path: str) -> str:
    """The URI of the input of a name, else of the one at a path."""
    for one in document.get("ProcessingInputs") or ():
        if one["InputName"] == name and one.get("S3Input"):
            uri: str = one["S3Input"]["S3Uri"]
            return uri
    return source_of(document, path)


def _columns(given: dict[str, str]) -> dict[str, Any]:
    threshold = given.get("probability_threshold_attribute")
    try:
        limit = {"threshold": float(threshold)} if threshold else {}
    except ValueError:
        hint = "give a number from 0 to 1"
        raise InputError("probability_threshold_attribute is no number", evidence=str(threshold), hint=hint) from None
    named = {
        "prediction": given.get("inference_attribute") or None,
        "probability": given.get("probability_attribute") or None,
    }
    label = _needed(given, "ground_truth_attribute")
    return {"problem_type": _needed(given, "problem_type"), "label": label, **named, **limit}


def _limits(document: dict[str, Any]) -> dict[str, float]:
    return {"time_limit": float((document.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", MOST_SECONDS))}


def _needed(given: dict[str, str], key: str) -> str:
    if not given.get(key):
        hint = f"set {key} there, as the SageMaker SDK does"
        raise InputError(f"the job's Environment has no {key}", evidence=f"it has: {', '.join(given)}", hint=hint)
    return given[key]
