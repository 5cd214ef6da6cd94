"""The pages: one module each, a view-model made of what the service says, and the route that shows it."""

from __future__ import annotations

from typing import Any

from driftline.web.pages import endpoint, home, run, static

PAGES: list[Any] = [endpoint.endpoint_page, home.home, run.run_page, static.static]
"""Every page's handlers, for the application."""
