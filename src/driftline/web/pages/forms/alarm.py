"""The form of an alarm, new or to be changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec
from litestar import MediaType, Response, get, post

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.alarms import MissingData, Operator, Statistic
from driftline.service import Service
from driftline.service.dashboard.alarms import own_namespace, stored_targets
from driftline.service.dashboard.choices import endpoint_choices, metric_choices, schedule_choices
from driftline.web.api.signature import Given
from driftline.web.pages.alarm_forms import path_of
from driftline.web.pages.forms import alarm_fields as fields
from driftline.web.pages.forms import reading
from driftline.web.pages.forms.reading import Typed
from driftline.web.pages.forms.showing import Form, form_page, form_sent
from driftline.web.pages.rendering import Raw


def _choices(service: Service, typed: Typed) -> Mapping[str, list[str]]:
    return {
        "endpoint": endpoint_choices(service),
        "schedule": schedule_choices(service, typed["endpoint"]),
        "metric": metric_choices(service, typed["schedule"]),
        "operator": list(get_args(Operator)),
        "statistic": list(get_args(Statistic)),
        "treat_missing": list(get_args(MissingData)),
        "actions": ["log", *(action.target for action in service.list_actions())],
    }


def _prefill(service: Service, typed: Typed) -> Typed:
    """The definition of the alarm that is named, where there is one; what the URL says besides goes before it."""
    name = typed.get("name", "")
    try:
        status = service.get_alarm(name)
    except NotFoundError:
        return typed
    blank = dict.fromkeys(fields.DEFAULTS, "") if status.definition.rule is not None else {}
    return {**blank, **fields.typed_of(status, own_namespace(service, status.definition)), **typed}


def _make(service: Service, typed: Typed) -> str:
    name, asked = reading.needed(typed, "name"), fields.wanted(typed)
    if typed.get("editing") != name and _exists(service, name):
        hint = "choose another name, or use Edit on that alarm's page"
        raise ConflictError(f"the alarm {name[:80]} exists", hint=hint)
    targets = {field: stored_targets(service, name, field, getattr(asked, field)) for field in fields.ACTIONS}
    service.put_alarm(msgspec.structs.replace(asked, **targets).named(name))
    return path_of(name)


def _exists(service: Service, name: str) -> bool:
    try:
        service.get_alarm(name)
    except NotFoundError:
        return False
    return True


ALARM = Form("new_alarm.html", fields.DEFAULTS, _choices, fields.equivalent, _make, prefill=_prefill)
"""The form."""


@get("/new/alarm", media_type=MediaType.HTML)
async def new_alarm(request: Raw, service: Given) -> Response[Any]:
    """The form of an alarm."""
    return await form_page(request, service, ALARM)


@post("/new/alarm", media_type=MediaType.HTML, status_code=303)
async def put_alarm(request: Raw, service: Given) -> Response[Any]:
    """Create or change an alarm."""
    return await form_sent(request, service, ALARM)


HANDLERS = (
    new_alarm,
    put_alarm,
)
