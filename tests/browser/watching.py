"""What is seen of pages: nothing may go wrong in them, and they may ask nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from playwright.sync_api import Browser, Page

from tests.browser.worlds import World

SECONDS = 10
"""How long a page may take; pages take milliseconds, and machines are busy."""


class Watched:
    """What pages did that no page may: requests to other hosts, errors in the console, and exceptions.

    ``expected`` are parts of messages that a test means to see.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.expected: list[str] = []

    def watch(self, page: Page, home: str) -> None:
        """Look at a page from now on."""
        page.on("request", lambda request: self._asked(request.url, home))
        page.on("console", lambda told: self._told(told.type, told.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _asked(self, url: str, home: str) -> None:
        self.requests.append(url)
        if not url.startswith((f"{home}/", "data:")):
            self.problems.append(f"asked {url}")

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(one in text for one in self.expected):
            self.problems.append(f"{kind}: {text}")


class Visit(Protocol):
    """Opens a page of a world, ``visit(world, "/runs/{churn_data}", width=390, color_scheme="dark")``, in a browser
    that has no cookies yet; further options are those of a context of Playwright's."""

    def __call__(self, world: World, path: str = "/", *, width: int = 1200, **options: Any) -> Page: ...


@contextmanager
def visiting(browser: Browser, watched: Watched) -> Iterator[Visit]:
    """Pages are opened by what this gives, and closed in the end."""
    with ExitStack() as stack:

        def visit(world: World, path: str = "/", *, width: int = 1200, **options: Any) -> Page:
            context = browser.new_context(
                base_url=world.url, viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
            )
            stack.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            page = context.new_page()
            watched.watch(page, world.url)
            page.goto(world.path(path))
            return page

        yield visit
