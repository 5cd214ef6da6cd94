"""The services' own models, as botocore has them: read when they are first asked for, once a process."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

TARGETS = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "TrentService": "kms",
}
"""What stands before the dot in ``X-Amz-Target``, by service."""
VERSIONS = {"2010-08-01": "cloudwatch", "2011-06-15": "sts", "2010-05-08": "iam"}
"""The ``Version`` of a form, by service."""
SIGNING_NAMES = {"monitoring": "cloudwatch", "sts": "sts", "iam": "iam"}
"""The service in a signature's scope, where it is one that reads forms."""
QUERY = frozenset(VERSIONS.values())
"""Services whose errors have the names of the query protocol."""
_loading = threading.Lock()


def model(service: str) -> ServiceModel:
    """The model of a service."""
    with _loading:
        return _model(service)


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation(service: str, name: str) -> OperationModel | None:
    """An operation of a service; None for one that its model does not have."""
    known = model(service)
    return known.operation_model(name) if name in known.operation_names else None


def error_shape(service: str, code: str) -> Shape | None:
    """The shape of an error, by its code on the wire or by its name; None where the model has none."""
    return _error_shapes(service).get(code)


@cache
def _error_shapes(service: str) -> dict[str, Shape]:
    known = model(service)
    shapes = {shape.name: shape for shape in known.error_shapes}
    return shapes | {error_code(shape): shape for shape in known.error_shapes}


def error_code(shape: Shape) -> str:
    """The code by which clients of the query protocol know an error."""
    return str(error_traits(shape).get("code") or shape.name)


def error_traits(shape: Shape) -> dict[str, Any]:
    """What the model says of an error: its ``code`` and ``httpStatusCode``, where it says so."""
    return shape.metadata.get("error") or {}


def wire_name(shape: Shape, name: str) -> str:
    """The name of a member on the wire; ``name`` unless its model says otherwise."""
    return str(shape.serialization.get("name") or name)
