"""Models: an image and an artifact in a bucket, remembered by name."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import validation
from driftline.aws.sagemaker.remembered import add, find, forget, listed, tags_of
from driftline.core.errors import NotFoundError
from driftline.core.uris import object_uri
from driftline.resources.endpoints import ModelDescription
from driftline.sagemaker.names import arn

KIND = "model"


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateModel."""
    container_of(given)
    add(context, KIND, given["ModelName"], given, tags_of(given))
    return {"ModelArn": arn(context.region, context.account, KIND, given["ModelName"])}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeModel."""
    entry = find(context, KIND, given["ModelName"])
    shown = {key: value for key, value in entry.document.items() if key != "Tags"}
    return {
        "EnableNetworkIsolation": False,
        **shown,
        "ModelArn": arn(context.region, context.account, KIND, entry.name),
        "CreationTime": entry.created,
    }


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListModels."""
    return listed(context, KIND, given, "Model")


def delete(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DeleteModel."""
    forget(context, KIND, given["ModelName"])
    return {}


def kept(context: Context, name: str) -> tuple[str, ModelDescription]:
    """The file of a model, fetched from its bucket and kept: its path below the data folder, and what it is.

    Raises :class:`ModelError` for an artifact that no runtime here can load.
    """
    container = container_of(find(context, KIND, name).document)
    return context.service.keep_model(name, *artifact(context, container))


def artifact(context: Context, container: dict[str, Any]) -> tuple[str, bytes]:
    """The file name and the content of a container's artifact."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    address = container.get("ModelDataUrl") or source.get("S3Uri")
    if not address:
        raise validation("the container has no ModelDataUrl, and so no model that could be served here")
    uri = object_uri(address)
    try:
        return uri.key.rpartition("/")[2] or "model", context.objects.read(uri)
    except NotFoundError:
        what = f"Could not find model data at {address}."
        raise validation(f"{what} Upload it first, or correct the address of the model's data") from None


def container_of(document: dict[str, Any]) -> dict[str, Any]:
    """The one container of a model; a model with several, or without an artifact, is refused."""
    containers = document.get("Containers") or [document.get("PrimaryContainer")]
    if len(containers) != 1 or not containers[0]:
        raise validation("a model here has one container: give PrimaryContainer")
    container: dict[str, Any] = containers[0]
    if not container.get("Image"):
        raise validation("the container has no Image; model packages are not served here")
    return container


OPERATIONS: Operations = {
    "CreateModel": create,
    "DescribeModel": describe,
    "ListModels": listing,
    "DeleteModel": delete,
}
