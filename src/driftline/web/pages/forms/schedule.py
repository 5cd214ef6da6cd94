"""The form of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Response, get, post

from driftline.core.cron import Cron
from driftline.jobs.schedules import MONITORS
from driftline.monitors.quality.recipes import PROBLEM_TYPES
from driftline.service import Service
from driftline.service.dashboard.choices import baseline_choices, endpoint_choices
from driftline.web.api.signature import Given
from driftline.web.pages.forms import schedule_fields as fields
from driftline.web.pages.forms.reading import Typed
from driftline.web.pages.forms.showing import Form, form_page, form_sent
from driftline.web.pages.rendering import Raw

_TICKS = 3


def _choices(service: Service, typed: Typed) -> Mapping[str, list[str]]:
    return {
        "endpoint": endpoint_choices(service),
        "baseline": baseline_choices(service, typed["monitor"]),
        "monitor": list(MONITORS),
        "problem_type": list(PROBLEM_TYPES),
    }


def _make(service: Service, typed: Typed) -> str:
    asked = fields.wanted(typed)
    service.create_schedule(**msgspec.structs.asdict(asked))
    return f"/schedules/{quote(asked.name, safe='')}"


def _ticks(service: Service, typed: Typed) -> list[datetime]:
    """The next ticks of the cron expression."""
    cron, now = Cron(fields.wanted(typed).cron), service.now()
    found: list[datetime] = []
    for _ in range(_TICKS):
        following = cron.next(found[-1] if found else now)
        if following is None:
            break
        found.append(following)
    return found


SCHEDULE = Form("new_schedule.html", fields.DEFAULTS, _choices, fields.equivalent, _make, _ticks)
"""The form."""


@get("/new/schedule", media_type=MediaType.HTML)
async def new_schedule(request: Raw, service: Given) -> Response[Any]:
    """The form of a schedule."""
    return await form_page(request, service, SCHEDULE)


@post("/new/schedule", media_type=MediaType.HTML, status_code=303)
async def create_schedule(request: Raw, service: Given) -> Response[Any]:
    """Create a schedule."""
    return await form_sent(request, service, SCHEDULE)


HANDLERS = (
    new_schedule,
    create_schedule,
)
