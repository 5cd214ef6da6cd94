"""The page where a reader says in which zone times are shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Response, get, post

from driftline.web.access_cookies import MOST_FORM_BYTES
from driftline.web.api.signature import Maybe
from driftline.web.pages.rendering import Raw, show
from driftline.web.pages.submitted import local, submitted, there
from driftline.web.pages.zones import COOKIE, YEAR, chosen, known


class ZoneView(msgspec.Struct, frozen=True):
    """The zone that times are shown in, all there are, where to go then, and what was wrong with what was given."""

    zone: str
    zones: list[str]
    next: str
    problem: str = ""


@get("/timezone", media_type=MediaType.HTML, sync_to_thread=False)
def timezone(request: Raw, next: Maybe = None) -> Response[Any]:  # noqa: A002 - the query's own word
    """Ask for a zone."""
    return show(request, "timezone.html", ZoneView(chosen(request.cookies), sorted(known()), local(next or "/")))


@post("/timezone", media_type=MediaType.HTML, request_max_body_size=MOST_FORM_BYTES)
async def choose_timezone(request: Raw) -> Response[Any]:
    """Keep a zone in the reader's browser."""
    given = await submitted(request)
    zone, back = given.get("zone", "").strip(), local(given.get("next", "/"))
    if zone not in known():
        problem = f"There is no zone {zone[:80]!r}: choose one of the list, such as Europe/Berlin."
        return show(request, "timezone.html", ZoneView(zone[:80], sorted(known()), back, problem), status=400)
    answer = there(back)
    answer.headers["Set-Cookie"] = f"{COOKIE}={quote(zone, safe='/')}; Path=/; Max-Age={YEAR}; SameSite=Lax"
    return answer


HANDLERS = (
    timezone,
    choose_timezone,
)
