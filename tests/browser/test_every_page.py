"""What holds for every page: no fault of accessibility, no page wider than a small screen, a weight, a structure."""

from __future__ import annotations

import gzip
import hashlib

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import AXE, faults
from tests.browser.pages import EVERYWHERE, PAGES
from tests.browser.watching import Visit
from tests.browser.worlds import World

MOST_BYTES = 120 << 10
SMALL = 360
AXE_DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Release 4.14.1, as its package has it."""
_SETTLED = """async () => {
    for (let frame = 0; frame < 60 && document.scrollingElement.scrollWidth > innerWidth; frame++)
        await new Promise((done) => requestAnimationFrame(done));
    return document.scrollingElement.scrollWidth; }"""
"""The page's width, once what scripts draw has followed the screen."""
_WIDE = "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1"
_WIDE += " && !one.closest('.scroll, pre, .unseen, .skip')).slice(0, 3).map(one => one.outerHTML.slice(0, 120))"


def test_what_looks_for_faults_is_unchanged_and_has_its_licence() -> None:
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_DIGEST
    assert "Mozilla Public License" in (AXE.parent / "LICENSE").read_text()


def wrong(page: Page) -> str:
    """What is wrong with a page, a line each: faults of accessibility, and what is wider than a small screen."""
    found = faults(page)
    page.set_viewport_size({"width": SMALL, "height": 800})
    width = page.evaluate(_SETTLED)
    if width > SMALL:
        found += [f"{width} wide on a screen of {SMALL}", *page.evaluate(_WIDE)]
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    return "\n".join(found)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wrong_with_a_page(visit: Visit, filled: World, path: str) -> None:
    assert wrong(visit(filled, path)) == ""


@pytest.mark.parametrize("path", EVERYWHERE)
def test_nothing_is_wrong_where_nothing_is_yet(visit: Visit, empty: World, path: str) -> None:
    assert wrong(visit(empty, path)) == ""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light(filled: World, path: str) -> None:
    answer = httpx.get(filled.url + filled.path(path), trust_env=False)
    assert answer.status_code == 200
    assert len(gzip.compress(answer.content)) <= MOST_BYTES
