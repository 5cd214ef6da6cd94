"""Style sheets and scripts: a closed list, read once, named with a digest so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from litestar import Response, get
from litestar.exceptions import NotFoundException
from markupsafe import Markup

from driftline.reporting import styles
from driftline.web.api.signature import Maybe, Name
from driftline.web.pages.headers import SECURITY

_HERE = Path(__file__).parent.parent / "static"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_YEAR = "public, max-age=31536000, immutable"
CHARTS = "charts.css"
"""The styles of charts and their tables: the very ones that reports carry."""


class Asset(NamedTuple):
    """A file that pages load."""

    body: bytes
    kind: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by its name."""
    files = [path for path in sorted(_HERE.rglob("*")) if path.suffix in _KINDS]
    found = {path.name: _asset(path.name, path.read_bytes()) for path in files}
    charts = styles.CHARTS + styles.SECTIONS + styles.FEATURES + styles.BIAS + styles.RANKINGS + styles.TIMES
    return found | {CHARTS: _asset(CHARTS, charts.encode())}


def link(name: str) -> str:
    """Where a file is loaded from."""
    return f"/static/{name}?v={assets()[name].digest}"


def sheet(name: str, *, inline: bool) -> Markup:
    """A style sheet in the head of a page; ``inline`` with all that is in it, for a page that must stand alone."""
    if inline:
        return Markup("<style>{}</style>").format(Markup(assets()[name].body.decode()))  # noqa: S704 - our own file
    return Markup('<link rel="stylesheet" href="{}">').format(link(name))


@get("/static/{name:str}", sync_to_thread=False)
def static(name: Name, v: Maybe = None) -> Response[bytes]:
    """A style sheet or a script."""
    asset = assets().get(name)
    if asset is None:
        raise NotFoundException(detail=f"there is no file {name[:80]!r}")
    keep = _YEAR if v == asset.digest else "no-cache"
    return Response(asset.body, media_type=asset.kind, headers={**SECURITY, "Cache-Control": keep})


def _asset(name: str, body: bytes) -> Asset:
    return Asset(body, _KINDS[Path(name).suffix], hashlib.sha256(body).hexdigest()[:16])


HANDLERS = (static,)
