"""The way in and out for people: a page that takes a token and gives a session."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync as in_thread
from litestar import MediaType, Request, Response, get, post
from litestar.params import FromQuery

from driftline.core.errors import DriftlineError
from driftline.service.door import NOBODY, SESSION_HOURS, Door
from driftline.web.access import Gate, visitor
from driftline.web.access_cookies import MOST_FORM_BYTES, check_origin, cookie, fields, session_of
from driftline.web.audit import Auditor
from driftline.web.pages.headers import SECURITY
from driftline.web.pages.rendering import page
from driftline.web.pages.submitted import local

Raw = Request[Any, Any, Any]


class Entrance:
    """The handlers of ``/login`` and ``/logout`` over a door."""

    def __init__(self, door: Door, auditor: Auditor) -> None:
        self._door, self._auditor = door, auditor
        self.gate: Gate | None = None

    async def enter(self, request: Raw, there: str) -> Response[str]:
        """Open a session for whoever sends a valid token; refuse and count the others."""
        headers = dict(request.scope["headers"])
        try:
            check_origin(headers)
            if self.gate is not None:
                self.gate.throttle.check(_address(request))
        except DriftlineError as error:
            return _form(error.what, there, error.http_status)
        secret = fields(await request.body()).get("token", "").strip()
        session = await in_thread(self._door.login, secret)
        if session is None:
            if self.gate is not None:
                self.gate.throttle.failed(_address(request))
            await self._auditor.event(NOBODY, "refused", "refused with 401")
            return _form("this token is not valid", there, 401)
        who = await in_thread(self._door.session, session)
        await self._auditor.event(who or NOBODY, "login", "done")
        return _there(there, cookie(session, secure=_secure(request), seconds=SESSION_HOURS * 3600))

    async def leave(self, request: Raw) -> Response[str]:
        """End the session of a cookie, if the form is one of our pages'."""
        session = session_of(dict(request.scope["headers"]))
        who = visitor.get()
        if session is not None and who.csrf:
            check_origin(dict(request.scope["headers"]))
            if fields(await request.body()).get("csrf") != who.csrf:
                return _form("reload the page and sign out again", "/", 403)
            await in_thread(self._door.logout, session)
            await self._auditor.event(who, "logout", "done")
            if self.gate is not None:
                self.gate.forget()
        return _there("/login", cookie("", secure=_secure(request), seconds=0))


def handlers(entrance: Entrance) -> list[Any]:
    """The routes, bound to an entrance."""

    @get("/login", media_type=MediaType.HTML, include_in_schema=False)
    async def login_form(next: FromQuery[str] = "/") -> Response[str]:  # noqa: A002 - the query's own word
        """Ask for a token."""
        return _form("", next, 200)

    @post("/login", media_type=MediaType.HTML, include_in_schema=False, request_max_body_size=MOST_FORM_BYTES)
    async def login(request: Raw, next: FromQuery[str] = "/") -> Response[str]:  # noqa: A002
        """Open a session."""
        return await entrance.enter(request, next)

    @post("/logout", media_type=MediaType.HTML, include_in_schema=False, request_max_body_size=MOST_FORM_BYTES)
    async def logout(request: Raw) -> Response[str]:
        """End a session."""
        return await entrance.leave(request)

    return [login_form, login, logout]


def _form(problem: str, there: str, status: int) -> Response[str]:
    return page("login.html", status=status, problem=problem, there=local(there))


def _there(path: str, cookie_header: str) -> Response[str]:
    headers = {**SECURITY, "Location": local(path), "Set-Cookie": cookie_header, "Cache-Control": "no-store"}
    return Response("", status_code=303, media_type=MediaType.HTML, headers=headers)


def _secure(request: Raw) -> bool:
    return str(request.scope.get("scheme")) == "https"


def _address(request: Raw) -> str:
    return request.client.host if request.client else ""
