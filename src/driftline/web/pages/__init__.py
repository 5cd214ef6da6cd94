"""The pages: one module each, a view-model made of what the service says, and the route that shows it."""

from __future__ import annotations

from typing import Any

from driftline.web.pages import alarm_forms, alarms, home, run, static
from driftline.web.pages.forms import alarm, baseline, endpoint, schedule, start

PAGES: list[Any] = [
    *alarm_forms.HANDLERS,
    *alarms.HANDLERS,
    *alarm.HANDLERS,
    *baseline.HANDLERS,
    *endpoint.HANDLERS,
    home.home,
    run.run_page,
    *schedule.HANDLERS,
    *start.HANDLERS,
    static.static,
]
"""Every page's handlers, for the application."""
