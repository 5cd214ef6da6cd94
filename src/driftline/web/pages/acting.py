"""Buttons of pages: what was sent is done, and the browser goes on; or the page is shown again with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import Response, post

from driftline.core.errors import DriftlineError, NotFoundError
from driftline.web.access_cookies import MOST_FORM_BYTES
from driftline.web.pages.rendering import Raw
from driftline.web.pages.submitted import submitted, there


class Problem(msgspec.Struct, frozen=True):
    """Why a form was refused: which it was, what happened, what was seen, what to do, and what had been typed."""

    form: str
    message: str
    evidence: str = ""
    hint: str = ""
    typed: dict[str, str] = {}


def form(path: str) -> Callable[[Callable[..., Any]], Any]:
    """The route of a form of a page, which is no part of the API."""
    return post(path, include_in_schema=False, request_max_body_size=MOST_FORM_BYTES)


async def acted(
    request: Raw, which: str, act: Callable[[Mapping[str, str]], str], again: Callable[[Problem], Response[Any]]
) -> Response[Any]:
    """Do what a form asks for. ``act`` gets its fields and returns where to go; what it refuses is shown ``again``.

    A page that does not exist is not shown again: then :class:`NotFoundError` is raised.
    """
    typed = await submitted(request)

    def answered() -> Response[Any]:
        try:
            return there(act(typed))
        except NotFoundError:
            raise
        except DriftlineError as error:
            kept = {name: value for name, value in typed.items() if name != "csrf"}
            return again(Problem(which, error.what, error.evidence, error.hint, kept))

    return await in_thread(answered)
