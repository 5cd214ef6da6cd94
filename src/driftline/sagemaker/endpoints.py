"""Endpoint configurations: the one variant, and what of its traffic is captured."""

from __future__ import annotations

from typing import Any

from driftline.core.errors import InputError

_CSV, _JSON = ("text/csv",), ("application/json", "application/jsonlines")
DEFAULT_PERCENTAGE = 20
"""The share of requests that is captured where a configuration does not say, in percent."""


def variant_of(document: dict[str, Any]) -> dict[str, Any]:
    """The variant of a configuration; raises :class:`InputError` unless there is exactly one, with a model."""
    variants = document.get("ProductionVariants") or []
    if len(variants) != 1 or document.get("ShadowProductionVariants"):
        raise InputError(
            "an endpoint has one production variant here, and no shadow variants",
            evidence=f"{len(variants)} production variants",
            hint="make an endpoint for each model",
        )
    variant: dict[str, Any] = variants[0]
    if not variant.get("ModelName"):
        hint = "name the model of the variant; inference components are not served here"
        raise InputError("the variant has no ModelName", hint=hint)
    return variant


def capture_of(document: dict[str, Any]) -> dict[str, Any]:
    """The capture settings of a configuration, as :class:`~driftline.resources.endpoints.CaptureSettings` names them.

    >>> capture_of({})["input"]
    False
    >>> options = [{"CaptureMode": "Input"}]
    >>> given = {"EnableCapture": True, "InitialSamplingPercentage": 100, "CaptureOptions": options}
    >>> found = capture_of({"DataCaptureConfig": given | {"DestinationS3Uri": "s3://bucket/captured"}})
    >>> found["percent"], found["input"], found["output"], found["destination"]
    (100.0, True, False, 's3://bucket/captured')
    """
    given = document.get("DataCaptureConfig")
    if not given:
        return {"input": False, "output": False}
    modes = {option["CaptureMode"] for option in given.get("CaptureOptions") or ()}
    enabled = given.get("EnableCapture", True)
    types = given.get("CaptureContentTypeHeader") or {}
    return {
        "percent": float(given.get("InitialSamplingPercentage", DEFAULT_PERCENTAGE)),
        "input": enabled and bool(modes & {"Input", "InputAndOutput"}),
        "output": enabled and bool(modes & {"Output", "InputAndOutput"}),
        "csv_types": tuple(types.get("CsvContentTypes") or _CSV),
        "json_types": tuple(types.get("JsonContentTypes") or _JSON),
        "destination": given.get("DestinationS3Uri") or "",
    }


def capture_summary(document: dict[str, Any]) -> dict[str, Any] | None:
    """How DescribeEndpoint tells of the capture of a configuration; None where there is none.

    >>> capture_summary({"DataCaptureConfig": {"EnableCapture": False, "DestinationS3Uri": "s3://b/c"}})["CaptureStatus"]
    'Stopped'
    """
    given = document.get("DataCaptureConfig")
    if not given:
        return None
    enabled = given.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": given.get("InitialSamplingPercentage", DEFAULT_PERCENTAGE),
        "DestinationS3Uri": given.get("DestinationS3Uri") or "",
        "KmsKeyId": given.get("KmsKeyId", ""),
    }
