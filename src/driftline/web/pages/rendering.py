"""How a page is shown: a view-model, which is plain data, as HTML, as JSON, as CSV of a table, or as a single file."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import MediaType, Request, Response
from markupsafe import Markup

from driftline.core.errors import NotFoundError
from driftline.serving.asgi import Scope
from driftline.web.access import visitor
from driftline.web.pages.csv_tables import csv_of, table_names
from driftline.web.pages.headers import SECURITY
from driftline.web.pages.static import link, sheet
from driftline.web.pages.zones import chosen
from driftline.web.twins import form_of

Raw = Request[Any, Any, Any]
GLYPHS = {"OK": "✓", "VIOLATED": "✕", "UNKNOWN": "?", "PAUSED": "‖", "ALARM": "✕", "INSUFFICIENT_DATA": "?"}
WORDS = {
    "OK": "OK",
    "VIOLATED": "Violated",
    "UNKNOWN": "Unknown",
    "PAUSED": "Paused",
    "ALARM": "Alarm",
    "INSUFFICIENT_DATA": "Too little data",
}
_EXPORTED = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


def show(
    request: Raw, template: str, view: msgspec.Struct, *, status: int = 200, here: str | None = None
) -> Response[Any]:
    """A view-model in the form that is asked for.

    ``view`` is a struct of plain data; in the template it is called ``view``. Its fields that are sequences of structs
    are its tables. Charts are drawn in the template, from the data. ``?export=1`` gives one file that stands alone.
    ``here`` is the page's address where the request's is not one, as that of a form is not.
    """
    form = form_of(cast(Scope, request.scope))
    if form == "json":
        return Response(view, status_code=status, media_type=MediaType.JSON, headers=SECURITY)
    if form == "csv":
        return _csv(request, view)
    exported = request.query_params.get("export") == "1"
    zone = "UTC" if exported else chosen(request.cookies)
    text = _text(template, view=view, zone=zone, export=exported, here=here or _here(request), tables=table_names(view))
    headers = dict(SECURITY)
    if exported:
        name = request.url.path.strip("/").replace("/", "-") or "driftline"
        headers |= {**_EXPORTED, "Content-Disposition": f'attachment; filename="{name[:100]}.html"'}
    return Response(text, status_code=status, media_type=MediaType.HTML, headers=headers)


def page(template: str, *, status: int = 200, **values: Any) -> Response[str]:
    """A page that has no twin."""
    text = _text(template, **{"zone": "UTC", "export": False, "here": "/", "tables": (), **values})
    return Response(text, status_code=status, media_type=MediaType.HTML, headers=SECURITY)


def _text(template: str, **values: Any) -> str:
    return environment.get_template(template).render(values)


def _csv(request: Raw, view: msgspec.Struct) -> Response[Any]:
    name = request.query_params.get("table", "")
    if name not in table_names(view):
        known = ", ".join(table_names(view)) or "none"
        raise NotFoundError(f"this page has no table {name[:80]!r}", hint=f"add ?table= with one of: {known}")
    headers = {**SECURITY, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(csv_of(getattr(view, name)), media_type="text/csv; charset=utf-8", headers=headers)


def _here(request: Raw) -> str:
    """The path of this page with its query, as another page may lead back to it. A form is sent to a path below it."""
    if request.method == "POST":
        return request.url.path.rpartition("/")[0] or "/"
    query = request.scope.get("query_string", b"").decode("latin-1")
    return request.url.path + (f"?{query}" if query else "")


def twin(here: str, form: str, table: str = "") -> str:
    """Where this page is in another form: ``json``, ``csv`` (of a table) or ``export``, with the query it has.

    >>> twin("/runs/17", "json"), twin("/?days=7", "csv", "rows"), twin("/alarms", "export")
    ('/runs/17.json', '/index.csv?days=7&table=rows', '/alarms?export=1')
    """
    path, _, query = here.partition("?")
    more = "export=1" if form == "export" else f"table={table}" if table else ""
    asked = "&".join(part for part in (query, more) if part)
    place = path if form == "export" else f"{'/index' if path == '/' else path}.{form}"
    return f"{place}?{asked}" if asked else place


@pass_context
def _time(context: Context, moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """A time in the reader's zone; none is a dash."""
    if moment is None:
        return "–"
    return f"{moment.astimezone(ZoneInfo(context['zone'])):{form}}"


@pass_context
def _sheet(context: Context, name: str) -> Markup:
    return sheet(name, inline=context["export"])


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("driftline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["time"] = _time
    made.filters["clock"] = pass_context(lambda context, moment: _time(context, moment, "%H:%M"))
    made.filters["glyph"] = lambda state: GLYPHS.get(str(state), "…")
    made.filters["word"] = lambda state: WORDS.get(str(state), str(state))
    made.globals.update(visitor=visitor.get, asset=link, sheet=_sheet, twin=twin)
    return made


environment = _environment()
"""The templates. Pages add what they draw with: ``environment.globals["whiskers"] = …``."""
