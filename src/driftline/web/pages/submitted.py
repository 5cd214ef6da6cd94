"""Forms of pages: what was sent, and where the browser goes afterwards."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Response
from litestar.datastructures import UploadFile

from driftline.web.access_cookies import check_origin, fields
from driftline.web.pages.headers import SECURITY
from driftline.web.pages.rendering import Raw


async def submitted(request: Raw) -> dict[str, str]:
    """The fields of a form of one of our own pages; raises :class:`ForbiddenError` for one of another site's.

    With access on, the gate has compared the session's word before; with access off this is the only fence.
    """
    check_origin(dict(request.scope["headers"]))
    return fields(await request.body())


async def uploaded(request: Raw) -> dict[str, bytes]:
    """The fields and files of a form of one of our own pages; see :func:`submitted`."""
    check_origin(dict(request.scope["headers"]))
    form = await request.form()
    return {
        name: await value.read() if isinstance(value, UploadFile) else str(value).encode("utf-8", "replace")
        for name, value in form.items()
    }


def there(path: str) -> Response[Any]:
    """Go on to a page of this service, with GET."""
    return Response("", status_code=303, media_type=MediaType.HTML, headers={**SECURITY, "Location": path})
