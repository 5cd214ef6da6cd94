"""The pages: one module each, a view-model made of what the service says, and the route that shows it."""

from __future__ import annotations

from typing import Any

from driftline.web.pages import analysis, home, run, static, violation

PAGES: list[Any] = [
    analysis.analysis_page,
    home.home,
    run.run_page,
    static.static,
    violation.violation_page,
]
"""Every page's handlers, for the application."""
