"""Faults of accessibility that can be found by looking: axe-core in the page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parent / "axe" / "axe.min.js"
_GRAVE = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """The serious and critical faults of a page, a line each: the rule, and the first places where it is broken.

    The page's context needs ``bypass_csp=True``: what looks at a page is foreign to it.
    """
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(node["html"][:120] for node in one["nodes"][:3])
        for one in found["violations"]
        if one["impact"] in _GRAVE
    ]
