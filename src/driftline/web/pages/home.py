"""The home page: every endpoint by its monitors, the worst first, and what is open."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import MediaType, Response, get
from litestar.params import FromQuery

from driftline.reporting.charts.sparkline import sparkline
from driftline.reporting.text import count, percent, plural, short_count, shorten
from driftline.service.dashboard.fleet import Fleet, fleet
from driftline.service.dashboard.monitor_states import MONITORS, RANKS
from driftline.web.api.signature import Given
from driftline.web.pages.rendering import Raw, environment, show

_WORDS = {
    "VIOLATED": "violated",
    "UNKNOWN": "unknown",
    "WAITING": "not judged yet",
    "OK": "OK",
    "PAUSED": "paused",
    "NONE": "not monitored",
}
_LONGEST_QUERY = 200


@get("/", media_type=MediaType.HTML, sync_to_thread=True)
def home(request: Raw, service: Given, q: FromQuery[str] = "", page: FromQuery[str] = "1") -> Response[Any]:
    """Endpoints, open alarms and overdue windows."""
    # The framework keeps the name ``state`` for itself.
    state = request.query_params.get("state", "")
    wanted = state if state in RANKS else ""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    return show(request, "home.html", fleet(service, state=wanted, query=q[:_LONGEST_QUERY].strip(), page=number))


def totals_line(view: Fleet) -> list[tuple[str, str]]:
    """The totals by state, as words with the filter that shows them."""
    return [(f"{count(number)} {_WORDS[state]}", fleet_link(state, "", 1)) for state, number in view.totals.items()]


def fleet_link(state: str, query: str, page: int) -> str:
    """Where the home page shows this.

    >>> fleet_link("OK", "a b", 2), fleet_link("", "", 1)
    ('/?state=OK&q=a+b&page=2', '/')
    """
    asked = {"state": state, "q": query, "page": "" if page == 1 else str(page)}
    query_string = urlencode({name: value for name, value in asked.items() if value})
    return f"/?{query_string}" if query_string else "/"


environment.globals.update(
    fleet_link=fleet_link, totals_line=totals_line, sparkline=sparkline, MONITORS=MONITORS, STATE_WORDS=_WORDS
)
environment.filters.update(count=count, short_count=short_count, plural=plural, shorten=shorten)
environment.globals["percent"] = percent


HANDLERS = (home,)
