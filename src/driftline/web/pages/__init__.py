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

_MODULES = (
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
    new_alarm,
    new_baseline,
    new_endpoint,
    new_schedule,
    start,
)
PAGES = [one for module in _MODULES for one in vars(module).values() if isinstance(one, HTTPRouteHandler)]
"""Every page's handlers, for the application: those that stand in the modules."""
