"""Changing constraints in a browser: a proposal is shown with what it changes, and stored when it is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import MediaType, Response, post

from driftline.core.constraint_documents import Rules
from driftline.core.errors import ConflictError, InputError
from driftline.service import Service
from driftline.service.dashboard.baseline_edits import (
    FieldsError,
    Proposal,
    edited,
    edits_of,
    propose,
    rules_of_version,
    save,
)
from driftline.storage.baseline_versions import Edit
from driftline.web.access import visitor
from driftline.web.api.signature import Given, Name
from driftline.web.pages.baselines import Typed, baseline_view
from driftline.web.pages.constraint_rows import stands
from driftline.web.pages.rendering import Raw, show
from driftline.web.pages.submitted import submitted, there

_FIELD = "set "
"""How the names of fields begin that are settings; their paths follow."""


class ProposalView(msgspec.Struct, frozen=True):
    """What would be stored, before it is."""

    proposal: Proposal
    note: str


@post("/baselines/{name:str}/preview", status_code=200, media_type=MediaType.HTML)
async def preview_baseline(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Show what an edit would change, or what is wrong with it. Nothing is stored."""
    given = await submitted(request)
    return await asyncio.to_thread(_previewed, request, service, name, given)


@post("/baselines/{name:str}/save", status_code=200, media_type=MediaType.HTML)
async def save_baseline(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Keep an edit as a new version, unless somebody else was faster."""
    given = await submitted(request)
    return await asyncio.to_thread(_saved, request, service, name, given)


def _previewed(request: Raw, service: Service, name: str, given: Mapping[str, str]) -> Response[Any]:
    since = _version(given, "since")
    try:
        proposal = propose(service, name, since, _wanted(service, name, since, given), rebase="rebase" in given)
    except InputError as error:
        return _again(request, service, name, given, error)
    status = 409 if proposal.late else 200
    return show(request, "baseline_preview.html", ProposalView(proposal, given.get("note", "")), status=status)


def _saved(request: Raw, service: Service, name: str, given: Mapping[str, str]) -> Response[Any]:
    since, document = _version(given, "since"), given.get("document", "").encode()
    note = given.get("note", "")
    try:
        save(service, name, document, Edit(service.now(), visitor.get().name, note, since))
    except ConflictError:
        proposal = propose(service, name, since, document)
        return show(request, "baseline_preview.html", ProposalView(proposal, note), status=409)
    except InputError as error:
        return _again(request, service, name, given, error)
    return there(f"/baselines/{name}")


def _wanted(service: Service, name: str, since: int, given: Mapping[str, str]) -> Rules | bytes:
    """What the form asks for: an earlier version, a whole document, or edits of the version it was made from."""
    if "restore" in given:
        return rules_of_version(service, name, _version(given, "restore"))
    if "document" in given:
        return given["document"].encode()
    before = rules_of_version(service, name, since)
    return edited(before, edits_of(_changed(before, given), given.get("lines", "")))


def _changed(before: Rules, given: Mapping[str, str]) -> dict[str, str]:
    """The fields that hold something else than what stands in the constraints."""
    known = stands(before)
    typed = {name.removeprefix(_FIELD): text.strip() for name, text in given.items() if name.startswith(_FIELD)}
    return {path: text for path, text in typed.items() if text != known.get(path, "")}


def _again(request: Raw, service: Service, name: str, given: Mapping[str, str], error: InputError) -> Response[Any]:
    """The page again with what was typed and what is wrong with it."""
    fields = {key.removeprefix(_FIELD): text for key, text in given.items() if key.startswith(_FIELD)}
    errors = error.fields if isinstance(error, FieldsError) else {}
    typed = Typed(fields, given.get("lines", ""), given.get("document"), given.get("note", ""), errors, error.as_dict())
    page, find = given.get("page", "1"), given.get("find", "")[:300]
    view = baseline_view(service, name, page=int(page) if _is_number(page) else 1, find=find, typed=typed)
    return show(request, "baseline.html", view, status=error.http_status)


def _version(given: Mapping[str, str], field: str) -> int:
    text = given.get(field, "")
    if not _is_number(text):
        what, hint = "the form does not say which version it is about", "open the page again"
        raise InputError(what, evidence=f"{field} is {text[:80]!r}", hint=hint)
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < len(text) < 9


HANDLERS = (
    preview_baseline,
    save_baseline,
)
