"""Faults of accessibility that can be found by looking: axe-core in the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parent / "axe" / "axe.min.js"
_GRAVE = ("serious", "critical")
_RUN = """axe.run(document, {resultTypes: ['violations'], runOnly: RULES})"""
_ALL = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"
_COLOURS = "{type: 'rule', values: ['color-contrast', 'link-in-text-block']}"


def faults(page: Page) -> list[str]:
    """The serious and critical faults of a page in light colours, and those of its dark colours, a line each: the
    rule, and the first places where it is broken.

    What looks at the page is put there as a debugger does it, past the page's policy, which stays in force.
    """
    debugger = page.context.new_cdp_session(page)
    debugger.send("Runtime.evaluate", {"expression": AXE.read_text()})

    def run(rules: str) -> list[str]:
        asked = {"expression": _RUN.replace("RULES", rules), "awaitPromise": True, "returnByValue": True}
        answer: dict[str, Any] = debugger.send("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer
        found = answer["result"]["value"]["violations"]
        return [_line(one) for one in found if one["impact"] in _GRAVE]

    light = run(_ALL)
    page.emulate_media(color_scheme="dark")
    dark = [f"dark: {line}" for line in run(_COLOURS)]
    page.emulate_media(color_scheme="light")
    return light + dark


def _line(fault: dict[str, Any]) -> str:
    places = "; ".join(node["html"][:120] for node in fault["nodes"][:3])
    return f"{fault['id']}: {fault['help']}: {places}"
