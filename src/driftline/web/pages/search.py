"""The page of what was looked for: everything whose name has a text in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Response, get

from driftline.service import Service
from driftline.service.dashboard.search import Matches, matches
from driftline.storage.search import Found
from driftline.web.api.signature import Given, Maybe
from driftline.web.pages.rendering import Raw, show


class Hit(msgspec.Struct, frozen=True):
    """A thing that was found: what it is, where its page is, its state if it has one, and what stands beside it."""

    kind: str
    name: str
    path: str
    state: str | None = None
    about: str = ""
    window_start: datetime | None = None
    window_end: datetime | None = None


class SearchView(msgspec.Struct, frozen=True):
    """What was asked and what was found; ``cut`` where there may be more."""

    q: str
    hits: list[Hit]
    cut: bool


def search_view(service: Service, text: str) -> SearchView:
    """Look for a text."""
    found = matches(service, text)
    return SearchView(text, _hits(found), found.cut)


def _hits(found: Matches) -> list[Hit]:
    return [
        *(Hit("Endpoint", one.name, _path("endpoints", one)) for one in found.endpoints),
        *(Hit("Schedule", one.name, _path("schedules", one), about=_of(one)) for one in found.schedules),
        *(Hit("Baseline", one.name, _path("baselines", one), about=one.about[0]) for one in found.baselines),
        *(Hit("Alarm", one.name, _path("alarms", one), state=one.about[0]) for one in found.alarms),
        *(
            Hit("Run", run.id, f"/runs/{run.id}", run.verdict, f"of {run.schedule}", run.window_start, run.window_end)
            for run in found.runs
        ),
    ]


def _path(kind: str, one: Found) -> str:
    return f"/{kind}/{quote(one.name, safe='')}"


def _of(schedule: Found) -> str:
    endpoint, monitor = schedule.about
    return f"{monitor} of {endpoint}"


@get("/search", media_type=MediaType.HTML, sync_to_thread=True)
def search(request: Raw, service: Given, q: Maybe = None) -> Response[Any]:
    """What has a text in its name."""
    return show(request, "search.html", search_view(service, q or ""))


HANDLERS = (search,)
