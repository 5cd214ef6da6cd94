"""The pages: one module each, a view-model made of what the service says, and the route that shows it."""

from __future__ import annotations

from typing import Any

from driftline.web.pages import home, run, schedule, series, static

PAGES: list[Any] = [
    home.home,
    *run.HANDLERS,
    *schedule.HANDLERS,
    series.series_page,
    static.static,
]
"""Every page's handlers, for the application."""
