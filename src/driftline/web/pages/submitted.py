"""Forms of pages: what was sent, and where the browser goes afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import MediaType, Response
from litestar.datastructures import UploadFile

from driftline.core.errors import TooLargeError
from driftline.web.access_cookies import check_origin, fields, limits
from driftline.web.pages.headers import SECURITY
from driftline.web.pages.rendering import Raw


async def submitted(request: Raw) -> dict[str, str]:
    """The fields of a form of one of our own pages; raises :class:`ForbiddenError` for one of another site's.

    With access on, the gate has compared the session's word before; with access off this is the only fence.
    """
    check_origin(dict(request.scope["headers"]))
    most_bytes, most_fields = limits(request.scope["path"])
    body = await request.body()
    if len(body) > most_bytes:
        what, hint = "this form is too large", "send the document with the API or the command line"
        raise TooLargeError(what, evidence=f"{len(body)} bytes of at most {most_bytes}", hint=hint)
    return fields(body, most_fields)


def local(path: str) -> str:
    """A path that a form names to go to, if it is one of this service: no page may be a way to somewhere else.

    >>> local("/runs/17?x=1"), local("//evil.example"), local("https://evil.example"), local("/\\\\evil.example")
    ('/runs/17?x=1', '/', '/', '/')
    """
    safe = path.startswith("/") and not path.startswith("//") and path.isprintable() and path.isascii()
    return path if safe and "\\" not in path else "/"


class Uploaded(NamedTuple):
    """A form with files: its fields, and each file's name and content."""

    texts: Mapping[str, str]
    files: Mapping[str, tuple[str, bytes]]

    def text(self, name: str) -> str:
        """What was typed in a field; empty where it is left out."""
        return self.texts.get(name, "")

    def file(self, name: str) -> tuple[str, bytes]:
        """A file's name and content; both empty where none was chosen."""
        return self.files.get(name, ("", b""))


async def uploaded(request: Raw) -> Uploaded:
    """A form with files of one of our own pages; see :func:`submitted`."""
    check_origin(dict(request.scope["headers"]))
    given = dict((await request.form()).items())
    files = {name: (one.filename, await one.read()) for name, one in given.items() if isinstance(one, UploadFile)}
    return Uploaded({name: one for name, one in given.items() if isinstance(one, str)}, files)


def there(path: str) -> Response[Any]:
    """Go on to a page of this service, with GET."""
    return Response("", status_code=303, media_type=MediaType.HTML, headers={**SECURITY, "Location": path})
