"""The pages of baselines: the list, one with its constraints and their history, and one version of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from driftline.core.constraint_changes import Change, in_words
from driftline.core.constraint_documents import Rules, read_any_constraints
from driftline.core.constraint_documents import rules_of as settings_of_any
from driftline.core.errors import InputError
from driftline.reporting.text import shorten
from driftline.service import Service
from driftline.service.dashboard.baseline_edits import MOST_DOCUMENT_BYTES
from driftline.service.dashboard.baselines import (
    BaselineLine,
    User,
    VersionLine,
    baseline_lines,
    history,
    known_baseline,
    rows_of,
    version_of,
)
from driftline.web.api.signature import Given, Name
from driftline.web.pages import constraint_rows
from driftline.web.pages.constraint_rows import SUBJECTS, ConstraintRow
from driftline.web.pages.rendering import Raw, environment, show

Page = Annotated[int, QueryParameter(ge=1, le=100_000)]
MOST_IN_PAGE = 64 << 10
"""Documents up to this size in bytes stand in the page to be edited; larger ones when they are asked for."""
_MOST_SHOWN = 20_000


class BaselineList(msgspec.Struct, frozen=True):
    """A page of the list."""

    baselines: list[BaselineLine]
    page: int
    more: bool


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the forms, and what was wrong with it: by field, and on the whole."""

    fields: dict[str, str] = {}
    lines: str = ""
    document: str | None = None
    note: str = ""
    errors: dict[str, str] = {}
    problem: dict[str, str] = {}


class BaselineView(msgspec.Struct, frozen=True):
    """One baseline. ``rows`` is how many rows it was made of; ``editable`` is False for an analysis, and for documents
    that are too large for a form."""

    name: str
    monitor: str
    created: datetime
    rows: int | None
    version: int
    author: str
    changed: datetime
    size: int
    editable: bool
    constraints: list[ConstraintRow]
    subjects: int
    page: int
    pages: int
    find: str
    used_by: list[User]
    versions: list[VersionLine]
    versions_page: int
    versions_more: bool
    document: str | None
    typed: Typed


class VersionView(msgspec.Struct, frozen=True):
    """One version of a baseline's constraints."""

    name: str
    newest: int
    line: VersionLine
    changes: list[Change]
    document: str
    cut: bool


def baseline_view(
    service: Service,
    name: str,
    *,
    page: int = 1,
    find: str = "",
    versions: int = 1,
    whole: bool = False,
    typed: Typed | None = None,
) -> BaselineView:
    """Look at a baseline."""
    known, typed = known_baseline(service, name), typed or Typed()
    rules = _rules(known.baseline.constraints)
    rows, subjects = ([], 0) if rules is None else constraint_rows.rows_of(rules, find=find, page=page)
    size = len(known.baseline.constraints)
    lines, more = history(service, name, versions)
    newest = known.newest
    return BaselineView(
        name,
        known.baseline.monitor,
        known.baseline.created,
        rows_of(known.baseline.statistics),
        newest.version,
        newest.author,
        newest.created,
        size,
        rules is not None and size <= MOST_DOCUMENT_BYTES,
        rows,
        subjects,
        page,
        max(1, -(-subjects // SUBJECTS)),
        find,
        known.users,
        lines,
        versions,
        more,
        _text(known.baseline.constraints, whole=whole or typed.document is not None, typed=typed),
        typed,
    )


def _rules(constraints: bytes) -> Rules | None:
    """Constraints with settings; None of an analysis, and of what cannot be read."""
    try:
        return settings_of_any(read_any_constraints(constraints, "the baseline"))
    except InputError:
        return None


def _text(constraints: bytes, *, whole: bool, typed: Typed) -> str | None:
    """The document for a page; None where it is too large to stand there unasked."""
    if typed.document is not None:
        return typed.document
    return constraints.decode("utf-8", "replace") if whole or len(constraints) <= MOST_IN_PAGE else None


@get("/baselines", media_type=MediaType.HTML, sync_to_thread=True)
def baselines_page(request: Raw, service: Given, page: Page = 1) -> Response[Any]:
    """The baselines."""
    lines, more = baseline_lines(service, page)
    return show(request, "baselines.html", BaselineList(lines, page, more))


@get("/baselines/{name:str}", media_type=MediaType.HTML, sync_to_thread=True)
def baseline_page(
    request: Raw,
    service: Given,
    name: Name,
    page: Page = 1,
    find: Annotated[str, QueryParameter(max_length=300)] = "",
    versions: Page = 1,
    whole: FromQuery[bool] = False,
) -> Response[Any]:
    """One baseline."""
    view = baseline_view(service, name, page=page, find=find, versions=versions, whole=whole)
    return show(request, "baseline.html", view)


@get("/baselines/{name:str}/versions/{version:int}", media_type=MediaType.HTML, sync_to_thread=True)
def version_page(request: Raw, service: Given, name: Name, version: FromPath[int]) -> Response[Any]:
    """One version of a baseline's constraints."""
    line, document, newest = version_of(service, name, version)
    text = document.decode("utf-8", "replace")
    view = VersionView(name, newest, line, line.changes, text[:_MOST_SHOWN], len(text) > _MOST_SHOWN)
    return show(request, "baseline_version.html", view)


def _value_in(change: Change, side: str) -> str:
    """What a change shows of one side of it, short."""
    value = getattr(change, side)
    if change.setting == "domain" and change.kind == "changed":
        # What came and what went is easier to see than two long lists.
        return f"{len(value)} texts" if side == "before" else change.text.partition("domain ")[2]
    if isinstance(value, dict):
        return shorten(", ".join(f"{name} {in_words(one)}" for name, one in value.items()), 200)
    absent = change.kind == ("added" if side == "before" else "removed")
    return "–" if absent else shorten(in_words(value), 200)


environment.globals |= {"operators": constraint_rows.OPERATORS, "value_in": _value_in}


HANDLERS = (
    baselines_page,
    baseline_page,
    version_page,
)
