"""Lists as the service gives them: filtered, sorted, and in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from driftline.aws import paging
from driftline.aws.errors import validation

_MOST = 100


class Entry(NamedTuple):
    """A resource in a list: what it is sorted and filtered by, and the summary that is shown of it."""

    name: str
    created: datetime
    modified: datetime
    status: str
    summary: dict[str, Any]


def page(
    entries: Iterable[Entry],
    given: dict[str, Any],
    field: str,
    *,
    order: str = "Descending",
    keys: Mapping[str, Callable[[Entry], Any]] | None = None,
) -> dict[str, Any]:
    """The page of a list that a request asks for, its summaries under ``field``; ``order`` is used where none is given,
    ``keys`` for a ``SortBy`` that other lists do not have.

    Understands ``NameContains``, ``StatusEquals``, the times before and after, ``SortBy``, ``SortOrder``,
    ``MaxResults`` and ``NextToken``.
    """
    found = [entry for entry in entries if _wanted(entry, given)]
    known = {"Name": lambda entry: entry.name, "Status": lambda entry: (entry.status, entry.name)} | dict(keys or {})
    key = known.get(given.get("SortBy", ""), lambda entry: (entry.created, entry.name))
    found.sort(key=key, reverse=given.get("SortOrder", order) == "Descending")
    return cut([entry.summary for entry in found], given, field)


def cut(summaries: list[dict[str, Any]], given: dict[str, Any], field: str) -> dict[str, Any]:
    """The part of a finished list that ``NextToken`` and ``MaxResults`` ask for."""
    size = min(given.get("MaxResults") or _MOST, _MOST)
    wrong = validation("NextToken is not one that a list here gave")
    shown, token = paging.page(summaries, given.get("NextToken") or None, size, wrong)
    return {field: list(shown)} | ({} if token is None else {"NextToken": token})


def _wanted(entry: Entry, given: dict[str, Any]) -> bool:
    if given.get("NameContains", "").lower() not in entry.name.lower():
        return False
    if given.get("StatusEquals") not in (None, entry.status):
        return False
    times = {"CreationTime": entry.created, "LastModifiedTime": entry.modified}
    after = all(time > given[f"{name}After"] for name, time in times.items() if given.get(f"{name}After"))
    return after and all(time < given[f"{name}Before"] for name, time in times.items() if given.get(f"{name}Before"))
