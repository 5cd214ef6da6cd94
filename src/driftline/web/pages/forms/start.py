"""The page that leads to the forms."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import MediaType, Response, get

from driftline.web.pages.rendering import Raw, show


class Way(msgspec.Struct, frozen=True):
    """A form: what it makes, where it is, and a line about it."""

    name: str
    path: str
    about: str


class WaysView(msgspec.Struct, frozen=True):
    """What can be made."""

    ways: tuple[Way, ...]


_WAYS = (
    Way("Endpoint", "/new/endpoint", "A model whose requests are captured: served here, behind a proxy, or elsewhere."),
    Way(
        "Baseline", "/new/baseline", "What the model did on the day it was trusted, and the limits that follow from it."
    ),
    Way("Schedule", "/new/schedule", "When the captured traffic of an endpoint is judged, by which monitor."),
    Way("Alarm", "/new/alarm", "What to be told about: a metric outside its limits, or a rule over other alarms."),
)


@get("/new", media_type=MediaType.HTML, sync_to_thread=False)
def new(request: Raw) -> Response[Any]:
    """What can be made."""
    return show(request, "new.html", WaysView(_WAYS))


HANDLERS = (new,)
