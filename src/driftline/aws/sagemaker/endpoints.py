"""Endpoints: configurations, deployed here. They answer as soon as they are made; the instance type changes nothing."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError, translated, validation
from driftline.aws.sagemaker import endpoint_configs, models
from driftline.aws.sagemaker.listing import Entry, page
from driftline.aws.sagemaker.remembered import add, find, forget, missing, tags_of
from driftline.core.errors import DriftlineError, NotFoundError
from driftline.resources.endpoints import Endpoint
from driftline.resources.registered import Registered
from driftline.sagemaker.endpoints import capture_of, capture_summary, variant_of
from driftline.sagemaker.names import arn
from driftline.service.images import read_images

KIND = "endpoint"
_MOST_REASON = 1024


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateEndpoint. A model that cannot be served makes an endpoint that has failed, and says why."""
    config = find(context, endpoint_configs.KIND, given["EndpointConfigName"]).document
    document = {"EndpointConfigName": given["EndpointConfigName"], "Config": config}
    add(context, KIND, given["EndpointName"], document, tags_of(given))
    _deploy(context, given["EndpointName"], document)
    return {"EndpointArn": _arn(context, given["EndpointName"])}


def update(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """UpdateEndpoint: the model and the capture settings of another configuration. One that cannot be served leaves
    the endpoint as it was, and the description says why."""
    before = find(context, KIND, given["EndpointName"]).document
    config = dict(find(context, endpoint_configs.KIND, given["EndpointConfigName"]).document)
    if given.get("RetainAllVariantProperties"):
        config["ProductionVariants"] = before["Config"]["ProductionVariants"]
    document = {"EndpointConfigName": given["EndpointConfigName"], "Config": config}
    _deploy(context, given["EndpointName"], document, before)
    return {"EndpointArn": _arn(context, given["EndpointName"])}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeEndpoint; also of an endpoint that was not made by an AWS client."""
    name = given["EndpointName"]
    entry, endpoint = _entry(context, name), _served(context, name)
    answer = _summary(context, name, entry, endpoint) | {
        "EndpointConfigName": name if entry is None else entry.document["EndpointConfigName"],
    }
    if entry is None:
        return answer
    if reason := entry.document.get("FailureReason"):
        answer["FailureReason"] = reason
    if capture := capture_summary(entry.document["Config"]):
        answer["DataCaptureConfig"] = capture
    return answer | {"ProductionVariants": [_variant(variant_of(entry.document["Config"]))]}


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListEndpoints."""
    entries = {entry.name: entry for entry in context.registry.listing(KIND)}
    served = {endpoint.name: endpoint for endpoint in context.service.list_endpoints()}
    shown = []
    for name in entries.keys() | served.keys():
        one = _summary(context, name, entries.get(name), served.get(name))
        shown.append(Entry(name, one["CreationTime"], one["LastModifiedTime"], one["EndpointStatus"], one))
    return page(shown, given, "Endpoints")


def delete(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DeleteEndpoint. Captures stay."""
    name = given["EndpointName"]
    endpoint = _served(context, name)
    if _entry(context, name) is not None:
        forget(context, KIND, name)
    elif endpoint is None:
        raise missing(context, KIND, name)
    if endpoint is not None:
        context.service.delete_endpoint(name)
    return {}


def _deploy(context: Context, name: str, document: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    """Serve what the configuration says, or remember why that cannot be; what was served ``before`` then still is."""
    config = document["Config"]
    model = variant_of(config)["ModelName"]
    try:
        container = models.container_of(find(context, models.KIND, model).document)
        _serve(context, name, container, config)
    except (DriftlineError, AwsError) as error:
        kept = document if before is None or _served(context, name) is None else before
        known = error if isinstance(error, AwsError) else translated("sagemaker", error)
        document = kept | {"FailureReason": known.message[:_MOST_REASON]}
    context.registry.change(KIND, name, now=context.now(), document=document)


def _serve(context: Context, name: str, container: dict[str, Any], config: dict[str, Any]) -> None:
    """Serve the container's model here, or stand before the server that the operator named for its image."""
    rule = read_images(context.service.layout).expect(container["Image"])
    if rule.upstream is not None:
        context.service.register_endpoint(name, capture_of(config), upstream=rule.upstream)
        return
    if rule.runtime is None:
        raise validation(f"the image {container['Image']} is that of a job, and serves no model")
    filename, content = models.artifact(context, container)
    variant = variant_of(config)["VariantName"]
    context.service.deploy(name, filename, content, capture_of(config), variant=variant)


def _summary(context: Context, name: str, entry: Registered | None, endpoint: Endpoint | None) -> dict[str, Any]:
    known = entry or endpoint
    if known is None:
        raise missing(context, KIND, name)
    return {
        "EndpointName": name,
        "EndpointArn": _arn(context, name),
        "EndpointStatus": "Failed" if endpoint is None else "InService",
        "CreationTime": known.created,
        "LastModifiedTime": known.updated,
    }


def _variant(variant: dict[str, Any]) -> dict[str, Any]:
    weight, count = variant.get("InitialVariantWeight", 1.0), variant.get("InitialInstanceCount", 1)
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }


def _entry(context: Context, name: str) -> Registered | None:
    try:
        return context.registry.get(KIND, name)
    except NotFoundError:
        return None


def _served(context: Context, name: str) -> Endpoint | None:
    try:
        return context.service.get_endpoint(name)
    except NotFoundError:
        return None


def _arn(context: Context, name: str) -> str:
    return arn(context.region, context.account, KIND, name)


OPERATIONS: Operations = {
    "CreateEndpoint": create,
    "UpdateEndpoint": update,
    "DescribeEndpoint": describe,
    "ListEndpoints": listing,
    "DeleteEndpoint": delete,
}
