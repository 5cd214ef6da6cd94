"""A browser, worlds to look at, and a watch over everything that pages do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import worlds
from tests.browser.watching import Visit, Watched, visiting
from tests.browser.worlds import World


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo in small."""
    with worlds.small_demo(tmp_path_factory.mktemp("browser") / "filled") as world:
        yield world


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service on the day it was started."""
    with worlds.empty_service(tmp_path_factory.mktemp("browser") / "empty") as world:
        yield world


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service that wants tokens."""
    with worlds.guarded_service(tmp_path_factory.mktemp("browser") / "guarded") as world:
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Of a module, because while it is there no other test can run a loop of asyncio's."""
    place = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if place is None:
        told = "there is no browser: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    """What is seen of the pages of a test; it fails if they did what they may not."""
    found = Watched()
    yield found
    assert found.problems == []


@pytest.fixture
def visit(browser: Browser, watched: Watched) -> Iterator[Visit]:
    """Opens pages."""
    with visiting(browser, watched) as open_page:
        yield open_page
