"""Cookies and forms: the session's cookie, and the proof that a request comes from one of our own pages."""

from __future__ import annotations

import hmac
import re
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from driftline.core.errors import ForbiddenError
from driftline.serving.asgi import ClientGoneError, Message, Receive, Scope, read_body

COOKIE = "driftline_session"
MOST_FORM_BYTES, MOST_FIELDS = 64 << 10, 100
_HOLDS_CONSTRAINTS = re.compile(r"/baselines/[^/]+/(preview|save)")
_BEGINNING = 4096
_CSRF_PART = re.compile(rb'--[!-~]{1,100}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n(\w{1,200})\r\n', re.I)
_HINT = "reload the page and try again; a program sends a token in the Authorization header instead of a cookie"


def session_of(headers: dict[bytes, bytes]) -> str | None:
    """The session that a request's cookie names."""
    try:
        morsel = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return None if morsel is None or not morsel.value else morsel.value


def cookie(session: str, *, secure: bool, seconds: int) -> str:
    """The ``Set-Cookie`` header of a session; with 0 seconds, the one that ends it."""
    end = "; Secure" if secure else ""
    return f"{COOKIE}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{end}"


def check_origin(headers: dict[bytes, bytes]) -> None:
    """Refuse what the browser says another site has sent. Raises :class:`ForbiddenError`."""
    site, origin = headers.get(b"sec-fetch-site", b"none"), headers.get(b"origin")
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if site == b"cross-site" or (origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host):
        raise ForbiddenError("this request was sent by another site's page", hint=_HINT)


async def check_form(scope: Scope, headers: dict[bytes, bytes], receive: Receive, csrf: str) -> Receive:
    """Refuse a change that does not repeat its session's word, in ``X-CSRF-Token`` or the form field ``csrf``.

    Of a form with files ``csrf`` must be the first field, as only its beginning is read before it is let through.
    Returns what to receive the request from, because a form had to be read. Raises :class:`ForbiddenError`.
    """
    check_origin(headers)
    given = headers.get(b"x-csrf-token", b"").decode("latin-1")
    if not given and headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        most_bytes, most_fields = limits(scope["path"])
        body = await read_body(receive, headers, most_bytes)
        given = fields(body, most_fields).get("csrf", "")
        receive = _again(body, receive)
    if not given and headers.get(b"content-type", b"").startswith(b"multipart/form-data"):
        given, receive = await _first_part(receive)
    if not hmac.compare_digest(given.encode(), csrf.encode()):
        raise ForbiddenError(f"{scope['method']} with a cookie needs the page's own word", hint=_HINT)
    return receive


def limits(path: str) -> tuple[int, int]:
    """How many bytes and fields a form may send to a path.

    Constraints of thousands of columns are a megabyte, of which a form makes up to three: it writes quotes and braces
    with three characters each.
    """
    return (3 << 20, 5000) if _HOLDS_CONSTRAINTS.fullmatch(path) else (MOST_FORM_BYTES, MOST_FIELDS)


def fields(body: bytes, most: int = MOST_FIELDS) -> dict[str, str]:
    """The fields of a form; of several with one name the first, and none of a form with more than ``most``."""
    try:
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


async def _first_part(receive: Receive) -> tuple[str, Receive]:
    """The field ``csrf`` at the beginning of a form with files, and what to receive the whole request from."""
    messages: list[Message] = []
    beginning = b""
    while len(beginning) < _BEGINNING:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        messages.append(message)
        beginning += message.get("body", b"")
        if not message.get("more_body"):
            break

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    found = _CSRF_PART.match(beginning)
    return (found[1].decode("ascii") if found else ""), replay


def _again(body: bytes, receive: Receive) -> Receive:
    """A receiver that gives a body once more before it goes on."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
