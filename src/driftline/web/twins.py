"""The twins of pages: a page's path with ``.json`` behind it is the page as data, with ``.csv`` one of its tables."""

from __future__ import annotations

from typing import Literal

from driftline.serving.asgi import App, Receive, Scope, Send

Form = Literal["html", "json", "csv"]
_KEY = "driftline.form"
_NOT_PAGES = ("/api/", "/schema", "/static/", "/metrics")


class Twins:
    """An ASGI application that takes the suffix off a page's path, and keeps which form of it is asked for.

    The twin of the page ``/`` is ``/index.json``.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path, form = split(scope["path"])
            if form != "html":
                scope = {**scope, "path": path, "raw_path": path.encode(), _KEY: form}
        await self._app(scope, receive, send)


def split(path: str) -> tuple[str, Form]:
    """The path of a page and the form of it that is asked for.

    >>> split("/runs/17.json"), split("/index.csv"), split("/api/runs.json")
    (('/runs/17', 'json'), ('/', 'csv'), ('/api/runs.json', 'html'))
    """
    stem, _, suffix = path.rpartition(".")
    # Files of runs are called .json too, and are no twins.
    if path.startswith(_NOT_PAGES) or "/files/" in path or suffix not in ("json", "csv") or not stem:
        return path, "html"
    return ("/" if stem == "/index" else stem), "json" if suffix == "json" else "csv"


def form_of(scope: Scope) -> Form:
    """The form in which a page is asked for."""
    found: Form = scope.get(_KEY, "html")
    return found
