"""The pages: one module each, a view-model made of what the service says, and the routes that show it."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from driftline.web.pages import (
    alarm_forms,
    alarms,
    analysis,
    baseline_forms,
    baselines,
    data,
    endpoint,
    home,
    run,
    schedule,
    search,
    series,
    static,
    timezone,
    violation,
)
from driftline.web.pages.forms import alarm as new_alarm
from driftline.web.pages.forms import baseline as new_baseline
from driftline.web.pages.forms import endpoint as new_endpoint
from driftline.web.pages.forms import schedule as new_schedule
from driftline.web.pages.forms import start

PAGES: tuple[HTTPRouteHandler, ...] = (
    *alarm_forms.HANDLERS,
    *alarms.HANDLERS,
    *analysis.HANDLERS,
    *baseline_forms.HANDLERS,
    *baselines.HANDLERS,
    *data.HANDLERS,
    *endpoint.HANDLERS,
    *home.HANDLERS,
    *run.HANDLERS,
    *schedule.HANDLERS,
    *search.HANDLERS,
    *series.HANDLERS,
    *static.HANDLERS,
    *timezone.HANDLERS,
    *violation.HANDLERS,
    *new_alarm.HANDLERS,
    *new_baseline.HANDLERS,
    *new_endpoint.HANDLERS,
    *new_schedule.HANDLERS,
    *start.HANDLERS,
)
"""Every page's handlers, for the application."""
