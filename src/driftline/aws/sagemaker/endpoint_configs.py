"""Endpoint configurations: documents that endpoints are made of."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.sagemaker import models
from driftline.aws.sagemaker.remembered import add, find, forget, listed, tags_of
from driftline.sagemaker.endpoints import variant_of
from driftline.sagemaker.names import arn

KIND = "endpoint-config"


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateEndpointConfig."""
    find(context, models.KIND, variant_of(given)["ModelName"])
    add(context, KIND, given["EndpointConfigName"], given, tags_of(given))
    return {"EndpointConfigArn": _arn(context, given["EndpointConfigName"])}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeEndpointConfig."""
    entry = find(context, KIND, given["EndpointConfigName"])
    shown = {key: value for key, value in entry.document.items() if key != "Tags"}
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in entry.document["ProductionVariants"]]
    return {
        "EnableNetworkIsolation": False,
        **shown,
        "ProductionVariants": variants,
        "EndpointConfigArn": _arn(context, entry.name),
        "CreationTime": entry.created,
    }


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListEndpointConfigs."""
    return listed(context, KIND, given, "EndpointConfig")


def delete(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DeleteEndpointConfig."""
    forget(context, KIND, given["EndpointConfigName"])
    return {}


def _arn(context: Context, name: str) -> str:
    return arn(context.region, context.account, KIND, name)


OPERATIONS: Operations = {
    "CreateEndpointConfig": create,
    "DescribeEndpointConfig": describe,
    "ListEndpointConfigs": listing,
    "DeleteEndpointConfig": delete,
}
