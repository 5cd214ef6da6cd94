"""The page that answers "why is there no data?" for an endpoint and a window."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import MediaType, Response, get

from driftline.core.errors import InputError
from driftline.core.verdict import Reason
from driftline.core.window import HOUR, Window, parse_time
from driftline.resources.executions import RejectedRecords
from driftline.service import Service
from driftline.service.dashboard.data import HourLine, facts, hour_lines, hour_of, samples
from driftline.service.dashboard.data_answers import Answer, Finding, answers, finding
from driftline.web.api.signature import Given, Maybe, Name
from driftline.web.pages.rendering import Raw, environment, show

_DAY = 24 * HOUR
_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class DataView(msgspec.Struct, frozen=True):
    """What the page shows. ``records`` are of the file ``sample``, of an hour that was chosen."""

    endpoint: str
    now: datetime
    start: datetime
    end: datetime
    chosen: bool
    finding: Finding
    checklist: list[Answer]
    run: str | None
    reasons: list[Reason]
    rejects: list[RejectedRecords]
    sample: str
    records: list[str]
    hours: list[HourLine]


def data_view(service: Service, name: str, hour: datetime | None = None) -> DataView:
    """Look at an endpoint's data, of an hour or of the last day."""
    now = service.now()
    present = hour_of(now) + HOUR
    window = Window(present - _DAY, present) if hour is None else Window(hour, hour + HOUR)
    found = facts(service, name, window)
    checklist = answers(found)
    sample, records = samples(found.captures) if hour is not None else ("", [])
    run = found.run
    return DataView(
        name,
        now,
        window.start,
        window.end,
        hour is not None,
        finding(found, checklist),
        checklist,
        None if run is None else run.id,
        [] if run is None else list(run.reasons),
        [] if run is None else list(run.rejects),
        sample,
        records,
        hour_lines(service, name, present if hour is None else min(present, hour + _DAY)),
    )


@get("/endpoints/{name:str}/data", media_type=MediaType.HTML, sync_to_thread=True)
def data_page(request: Raw, service: Given, name: Name, hour: Maybe = None) -> Response[Any]:
    """Why there is no data, or that there is."""
    return show(request, "data.html", data_view(service, name, None if not hour else _hour(hour)))


def _hour(text: str) -> datetime:
    moment = parse_time(text[:80])
    if not _FIRST <= moment <= _LAST:
        raise InputError(f"{text[:80]!r} is no hour of any data", hint="write it as 2026-11-22T10:00:00Z")
    return hour_of(moment)


environment.globals["answer_glyphs"] = {"yes": "✓", "no": "✕", "unknown": "?"}
environment.globals["answer_words"] = {"yes": "yes", "no": "no", "unknown": "cannot tell"}
environment.globals["answer_states"] = {"yes": "OK", "no": "VIOLATED", "unknown": "UNKNOWN"}
environment.globals["hour_before"] = lambda moment: moment - HOUR
environment.filters["stamp"] = lambda moment: moment.strftime("%Y-%m-%dT%H:%MZ")


HANDLERS = (data_page,)
