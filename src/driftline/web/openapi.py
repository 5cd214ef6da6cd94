"""The description of the HTTP interface at ``/schema``: the handlers', and the invocation path in front of them."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from driftline.serving.payload import ANSWER_TYPES

INVOCATIONS = "/endpoints/{name}/invocations"
_TEXT = {"type": "string"}


def openapi() -> OpenAPIConfig:
    """How the interface is described: as JSON, and nothing is fetched for it."""
    return OpenAPIConfig(
        title="driftline",
        version="1",
        path="/schema",
        use_handler_docstrings=True,
        render_plugins=[_Whole(path="/", media_type=MediaType.JSON)],
    )


class _Whole(JsonRenderPlugin):
    """The framework's description with the path that never reaches the framework."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        paths = openapi_schema["paths"] | {INVOCATIONS: {"post": _invocation()}}
        return super().render(request, openapi_schema | {"paths": dict(sorted(paths.items()))})


def _invocation() -> dict[str, Any]:
    rows = {kind: {"schema": {"contentMediaType": kind}} for kind in ANSWER_TYPES}
    return {
        "summary": "Invoke",
        "description": "One answer a row of the body. The request is captured, as the endpoint's settings say, before "
        "it is answered.",
        "operationId": "Invoke",
        "parameters": [
            {"name": "name", "in": "path", "required": True, "schema": _TEXT, "description": "the endpoint"},
            *(_header(name, description) for name, description in _ASKED.items()),
        ],
        "requestBody": {"required": True, "description": "rows of features", "content": rows},
        "responses": {
            "200": {
                "description": "the model's answer, of the type asked for or else of the request's",
                "headers": {name: {"description": text, "schema": _TEXT} for name, text in _ANSWERED.items()},
                "content": rows,
            },
            **{status: _refusal(description) for status, description in _REFUSED.items()},
        },
    }


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": _TEXT, "description": description}


def _refusal(description: str) -> dict[str, Any]:
    fields = ("code", "message", "evidence", "hint")
    error = {"type": "object", "properties": dict.fromkeys(fields, _TEXT), "required": list(fields)}
    return {"description": description, "content": {"application/json": {"schema": error}}}


_ASKED = {
    "X-Inference-Id": "the id that a label will name; 1 to 1024 characters",
    "X-Amzn-SageMaker-Inference-Id": "the same, as SageMaker's clients send it; goes before X-Inference-Id",
    "X-Amzn-SageMaker-Custom-Attributes": "a text to keep with the captured request",
}
_ANSWERED = {
    "X-Inference-Event-Id": "the id of the captured event; absent where the request was not captured",
    "X-Amzn-Invoked-Production-Variant": "the variant that answered",
}
_REFUSED = {
    "400": "the rows cannot be read, or are not of the model's width",
    "404": "there is no such endpoint",
    "405": "another method than POST",
    "413": "the body is too large",
    "415": "a content type that no parser reads",
    "424": "the model failed on these rows",
    "503": "the endpoint has no model that can answer now",
}
