"""Outputs as JSON: times as seconds, bytes in base 64, by the names of the model."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Any

from botocore.model import Shape

from driftline.aws.protocol.models import wire_name
from driftline.aws.protocol.scalars import epoch, instant
from driftline.aws.protocol.shaped import given_members

_PLAIN: dict[str, type] = {"integer": int, "long": int, "boolean": bool}


def json_value(shape: Shape, value: Any) -> Any:
    """A value of a shape as what JSON is made of; :class:`ValueError` for what the shape does not have."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure":
        return {wire_name(member, name): json_value(member, item) for name, member, item in given_members(shape, value)}
    if kind == "list":
        return [json_value(shape.member, item) for item in value]
    if kind == "map":
        return {str(key): json_value(shape.value, item) for key, item in value.items() if item is not None}
    return _scalar(shape, value)


def _scalar(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "timestamp":
        return instant(value) if shape.serialization.get("timestampFormat") == "iso8601" else epoch(value)
    if kind == "blob":
        return b64encode(value).decode()
    if kind in ("float", "double"):
        return float(value) if math.isfinite(value) else number_text(value)
    if not isinstance(value, _PLAIN.get(kind, str)):
        raise ValueError(f"{shape.name} is a {kind}, not {type(value).__name__}")
    return value


def number_text(value: float) -> str:
    """A number as text; what is none by the words that the protocols have.

    >>> number_text(0.5), number_text(float("nan")), number_text(float("-inf"))
    ('0.5', 'NaN', '-Infinity')
    """
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
