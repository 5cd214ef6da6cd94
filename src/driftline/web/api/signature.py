"""What handlers ask for: the service, names in the path, and bodies that are taken as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import FromPath, FromQuery

from driftline.service import Service

Given: TypeAlias = NamedDependency[Service]
Name: TypeAlias = FromPath[str]
Maybe: TypeAlias = FromQuery[str | None]
"""A text in the query that may be left out."""
Raw: TypeAlias = Request[Any, Any, Any]
"""The request itself, for a body that is no JSON document."""


def raw_body(description: str, *content_types: str) -> type[Operation]:
    """How a handler is described whose body is taken as it is, of one of these content types."""

    @dataclass
    class RawBody(Operation):
        def __post_init__(self) -> None:
            content = {kind: OpenAPIMediaType(schema=Schema(content_media_type=kind)) for kind in content_types}
            self.request_body = RequestBody(content=content, description=description, required=True)

    return RawBody
