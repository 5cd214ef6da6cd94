"""The form of an endpoint whose model is served elsewhere: external, or a proxy in front of a model server."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import MediaType, Response, get, post

from driftline.core.errors import ConflictError, DriftlineError, InputError, NotFoundError
from driftline.resources.endpoints import sensitive_columns
from driftline.service import MOST_MODEL_BYTES, Service
from driftline.web.api.signature import Given
from driftline.web.pages.forms import reading
from driftline.web.pages.forms.equivalents import Equivalent, command, python
from driftline.web.pages.forms.reading import Typed
from driftline.web.pages.forms.showing import Form, FormView, form_page, form_sent
from driftline.web.pages.problems import problem_of
from driftline.web.pages.rendering import Raw, show
from driftline.web.pages.submitted import there, uploaded

_SIDES = ("both", "input", "output")
_DEFAULTS = {"name": "", "upstream": "", "percent": "100", "sides": "both", "sensitive": ""}


class _Wanted(msgspec.Struct, frozen=True):
    name: str
    upstream: str | None
    percent: float
    sides: str
    sensitive: tuple[str, ...]


def _wanted(typed: Typed) -> _Wanted:
    percent, sides = reading.number(typed, "percent"), reading.text(typed, "sides") or "both"
    if sides not in _SIDES:
        raise InputError(f"{sides[:40]!r} is no side", hint="use " + ", ".join(_SIDES))
    sensitive = reading.lines(typed, "sensitive")
    sensitive_columns(sensitive)
    upstream = reading.text(typed, "upstream") or None
    return _Wanted(reading.needed(typed, "name"), upstream, 100.0 if percent is None else percent, sides, sensitive)


def _equivalent(typed: Typed) -> Equivalent:
    asked = _wanted(typed)
    sensitive = asked.sensitive or None
    percent = None if asked.percent == 100 else asked.percent
    word = "register" if asked.upstream is None else "proxy"
    options = {"--upstream": asked.upstream, "--capture-percent": percent, "--sensitive": sensitive}
    lines = [command(["endpoint", word], asked.name, options)]
    if asked.sides != "both":
        lines.append(command(["endpoint", "capture"], asked.name, {"--capture": asked.sides}))
    given = {
        "upstream": asked.upstream,
        "capture_percent": percent,
        "capture_input": False if asked.sides == "output" else None,
        "capture_output": False if asked.sides == "input" else None,
        "sensitive": None if sensitive is None else list(sensitive),
    }
    return Equivalent("\n".join(lines), python("register_endpoint", asked.name, given))


def _make(service: Service, typed: Typed) -> str:
    asked = _wanted(typed)
    _check_new(service, asked.name)
    capture: dict[str, Any] = {
        "percent": asked.percent,
        "input": asked.sides != "output",
        "output": asked.sides != "input",
        "sensitive": msgspec.to_builtins(sensitive_columns(asked.sensitive)),
    }
    service.register_endpoint(asked.name, capture, upstream=asked.upstream)
    return f"/endpoints/{quote(asked.name, safe='')}"


def _check_new(service: Service, name: str) -> None:
    """Raises :class:`ConflictError` for an endpoint that there is: a form must not take its model away."""
    try:
        service.get_endpoint(name)
    except NotFoundError:
        return
    hint = "choose another name; `driftline deploy` gives that one another model, `driftline endpoint capture` settings"
    raise ConflictError(f"the endpoint {name[:80]} exists", hint=hint)


def _deploy(service: Service, name: str, filename: str, artifact: bytes) -> str:
    _check_new(service, name)
    # Some browsers say the whole path on their machine.
    service.deploy(name, filename.replace("\\", "/").rpartition("/")[2], artifact)
    return f"/endpoints/{quote(name, safe='')}"


ENDPOINT = Form("new_endpoint.html", _DEFAULTS, lambda service, typed: {}, _equivalent, _make)
"""The form."""


@get("/new/endpoint", media_type=MediaType.HTML)
async def new_endpoint(request: Raw, service: Given) -> Response[Any]:
    """The form of an endpoint."""
    return await form_page(request, service, ENDPOINT)


@post("/new/endpoint", media_type=MediaType.HTML, status_code=303)
async def register_endpoint(request: Raw, service: Given) -> Response[Any]:
    """Register an endpoint."""
    return await form_sent(request, service, ENDPOINT)


@post("/new/endpoint/model", media_type=MediaType.HTML, status_code=303, request_max_body_size=MOST_MODEL_BYTES)
async def deploy(request: Raw, service: Given) -> Response[Any]:
    """Deploy a model from its file."""
    given = await uploaded(request)
    typed = {"name": given.text("name")}
    filename, artifact = given.file("model")
    try:
        path = await in_thread(lambda: _deploy(service, reading.needed(typed, "name"), filename, artifact))
    except DriftlineError as error:
        view = FormView({**_DEFAULTS, **typed}, {}, problem=problem_of(error))
        return show(request, ENDPOINT.template, view, status=400)
    return there(path)


HANDLERS = (
    new_endpoint,
    register_endpoint,
    deploy,
)
