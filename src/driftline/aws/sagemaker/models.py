"""Models: an image and an artifact in a bucket, remembered by name."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import validation
from driftline.core.uris import ObjectUri, object_uri
from driftline.sagemaker.names import arn

KIND = "model"


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateModel."""
    name = given["ModelName"]
    _container(given)
    context.registry.add(KIND, name, given, now=context.now(), tags=tags_of(given))
    return {"ModelArn": arn(context.region, context.account, KIND, name)}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeModel."""
    entry = context.registry.get(KIND, given["ModelName"])
    shown = {key: value for key, value in entry.document.items() if key != "Tags"}
    return shown | {
        "ModelArn": arn(context.region, context.account, KIND, entry.name),
        "CreationTime": entry.created,
        "EnableNetworkIsolation": entry.document.get("EnableNetworkIsolation", False),
    }


def delete(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DeleteModel."""
    context.registry.remove(KIND, given["ModelName"])
    return {}


def artifact(context: Context, name: str) -> tuple[str, ObjectUri]:
    """The image of a model, and where its artifact is."""
    container = _container(context.registry.get(KIND, name).document)
    return container["Image"], object_uri(container["ModelDataUrl"])


def tags_of(given: dict[str, Any]) -> dict[str, str]:
    """The tags of a request."""
    return {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}


def _container(given: dict[str, Any]) -> dict[str, Any]:
    containers = given.get("Containers") or [given.get("PrimaryContainer")]
    if len(containers) != 1 or not containers[0]:
        raise validation("a model here has one container: give PrimaryContainer")
    container: dict[str, Any] = containers[0]
    if not container.get("Image") or not container.get("ModelDataUrl"):
        raise validation("give the container an Image and a ModelDataUrl")
    return container


OPERATIONS: Operations = {"CreateModel": create, "DescribeModel": describe, "DeleteModel": delete}
