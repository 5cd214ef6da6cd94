"""What holds for every page: no fault of accessibility, no page wider than a small screen, a weight, a structure."""

from __future__ import annotations

import gzip
import hashlib

import httpx
import pytest

from tests.browser.accessibility import AXE, faults
from tests.browser.pages import EVERYWHERE, PAGES
from tests.browser.watching import Visit
from tests.browser.worlds import World

MOST_BYTES = 120 << 10
AXE_DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Release 4.14.1, as its package has it."""
_WIDE = "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1"
_WIDE += " && !one.closest('.scroll, pre, .unseen, .skip')).slice(0, 3).map(one => one.outerHTML.slice(0, 120))"


def test_what_looks_for_faults_is_unchanged_and_has_its_licence() -> None:
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_DIGEST
    assert "Mozilla Public License" in (AXE.parent / "LICENSE").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_grave_fault_of_accessibility(visit: Visit, filled: World, path: str, scheme: str) -> None:
    page = visit(filled, path, color_scheme=scheme, bypass_csp=True)
    assert faults(page) == []


@pytest.mark.parametrize("path", EVERYWHERE)
def test_no_grave_fault_where_nothing_is_yet(visit: Visit, empty: World, path: str) -> None:
    assert faults(visit(empty, path, bypass_csp=True)) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_small_screen_shows_the_whole_width(visit: Visit, filled: World, path: str) -> None:
    page = visit(filled, path, width=360)
    width = page.evaluate("() => document.scrollingElement.scrollWidth")
    assert width <= 360, page.evaluate(_WIDE)
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_small_screen_shows_an_empty_service_whole(visit: Visit, empty: World, path: str) -> None:
    page = visit(empty, path, width=360)
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 360, page.evaluate(_WIDE)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light(filled: World, path: str) -> None:
    answer = httpx.get(filled.url + filled.path(path), trust_env=False)
    assert answer.status_code == 200
    assert len(gzip.compress(answer.content)) <= MOST_BYTES
