"""Pictures of every page: ``make screenshots`` takes all of them; without it one shows that it works."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import worlds
from tests.browser.pages import EVERYWHERE, PAGES
from tests.browser.watching import Visit, Watched, visiting
from tests.browser.worlds import World

FOLDER = os.environ.get("DRIFTLINE_SCREENSHOTS")
WIDTHS, SCHEMES = (1200, 390), ("light", "dark")


def shoot(visit: Visit, world: World, paths: tuple[str, ...], folder: Path) -> list[Path]:
    """Every page in every width and scheme; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for path in paths:
        for scheme in SCHEMES:
            for width in WIDTHS:
                page = visit(world, path, width=width, color_scheme=scheme)
                name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "home"
                file = folder / f"{name}-{scheme}-{width}.png"
                page.screenshot(path=file, full_page=True)
                page.context.close()
                taken.append(file)
    return taken


@pytest.fixture(scope="module")
def whole_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo with all its hours."""
    with worlds.small_demo(tmp_path_factory.mktemp("whole") / "demo", hours=24, drift_hour=18) as world:
        yield world


@pytest.mark.skipif(not FOLDER, reason="make screenshots")
def test_every_page_is_pictured(browser: Browser, watched: Watched, whole_demo: World, empty: World) -> None:
    with visiting(browser, watched) as visit:
        taken = shoot(visit, whole_demo, PAGES, Path(str(FOLDER)) / "demo")
        taken += shoot(visit, empty, EVERYWHERE, Path(str(FOLDER)) / "empty")
    assert len(taken) == 4 * (len(PAGES) + len(EVERYWHERE))


def test_a_page_is_pictured(visit: Visit, empty: World, tmp_path: Path) -> None:
    taken = shoot(visit, empty, ("/search",), tmp_path)
    assert [file.name for file in taken] == [f"search-{scheme}-{width}.png" for scheme in SCHEMES for width in WIDTHS]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in taken)
