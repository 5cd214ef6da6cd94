"""The pages: one module each, a view-model made of what the service says, and the route that shows it."""

from __future__ import annotations

from typing import Any

from driftline.web.pages import baseline_forms, baselines, data, home, run, static

PAGES: list[Any] = [
    *(baselines.baselines_page, baselines.baseline_page, baselines.version_page),
    *(baseline_forms.preview_baseline, baseline_forms.save_baseline),
    data.data_page,
    home.home,
    run.run_page,
    static.static,
]
"""Every page's handlers, for the application."""
