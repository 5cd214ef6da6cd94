"""The pages: one module each, a view-model made of what the service says, and the route that shows it."""

from __future__ import annotations

from typing import Any

from driftline.web.pages import home, run, search, static, timezone

PAGES: list[Any] = [
    home.home,
    run.run_page,
    search.search,
    static.static,
    timezone.choose_timezone,
    timezone.timezone,
]
"""Every page's handlers, for the application."""
