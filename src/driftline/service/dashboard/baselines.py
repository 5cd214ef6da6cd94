"""What the pages of baselines show: the list, one baseline, and what its constraints were before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from driftline.core.constraint_changes import Change, diff
from driftline.core.constraint_documents import read_any_constraints, rules_of
from driftline.core.errors import InputError
from driftline.service import Service
from driftline.storage import baseline_versions, baselines, schedules
from driftline.storage.baseline_versions import VersionRow

PAGE = 50
MOST_COMPARED = 32 << 10
"""Versions up to this size in bytes are compared in the list of versions; larger ones on a page of their own."""


class User(msgspec.Struct, frozen=True):
    """A schedule that holds an endpoint's runs against a baseline."""

    schedule: str
    endpoint: str


class BaselineLine(msgspec.Struct, frozen=True):
    """A baseline in the list; ``size`` says how much its constraints are about."""

    name: str
    monitor: str
    created: datetime
    size: str
    used_by: list[User]


class VersionLine(msgspec.Struct, frozen=True):
    """A version of constraints with what it changed; ``told`` says why that is not shown."""

    version: int
    created: datetime
    author: str
    note: str
    changes: list[Change]
    told: str = ""


class Known(NamedTuple):
    """All that the store has of one baseline and its newest version."""

    baseline: baselines.Baseline
    newest: VersionRow
    users: list[User]


class _Dataset(msgspec.Struct):
    item_count: int | None = None


class _Statistics(msgspec.Struct):
    dataset: _Dataset = msgspec.field(default_factory=_Dataset)


def baseline_lines(service: Service, page: int) -> tuple[list[BaselineLine], bool]:
    """A page of the baselines by name, from 1 on, and whether there is another."""
    with service.store.read() as db:
        rows = baselines.rows(db, limit=PAGE + 1, offset=PAGE * (page - 1))
        users = _users(schedules.using(db, [row.name for row in rows]))
    lines = [
        BaselineLine(row.name, row.monitor, row.created, size_of(row.constraints), users.get(row.name, []))
        for row in rows
    ]
    return lines[:PAGE], len(lines) > PAGE


def known_baseline(service: Service, name: str) -> Known:
    """One baseline; :class:`NotFoundError` when there is none."""
    with service.store.read() as db:
        found = baselines.get(db, name)
        newest = baseline_versions.get(db, name, baseline_versions.newest(db, name))
        users = _users(schedules.using(db, [name])).get(name, [])
    return Known(found, newest, users)


def history(service: Service, name: str, page: int, size: int = 10) -> tuple[list[VersionLine], bool]:
    """A page of the versions, newest first, each with what it changed; and whether there is another."""
    with service.store.read() as db:
        rows = baseline_versions.listing(db, name, limit=size + 1, offset=size * (page - 1))
        small = [row.version for row in rows if row.size <= MOST_COMPARED]
        documents = {number: baseline_versions.document(db, name, number) for number in small}
    return [_line(row, documents) for row in rows[:size]], len(rows) > size


def version_of(service: Service, name: str, version: int) -> tuple[VersionLine, bytes, int]:
    """One version with what it changed however large it is, its document, and the number of the newest version."""
    with service.store.read() as db:
        row = baseline_versions.get(db, name, version)
        document = baseline_versions.document(db, name, version)
        before = {version - 1: baseline_versions.document(db, name, version - 1)} if version > 1 else {}
        newest = baseline_versions.newest(db, name)
    return _line(row, before | {version: document}), document, newest


def size_of(constraints: bytes) -> str:
    """What constraints are about, in words; told without reading all of them.

    >>> size_of(b'{"features": [{}, {}]}'), size_of(b'{"regression_constraints": {"mae": {}}}'), size_of(b'{')
    ('2 columns', '1 metric', '–')
    """
    try:
        found = msgspec.json.decode(constraints, type=dict[str, msgspec.Raw])
        if "features" in found:
            return _counted(len(msgspec.json.decode(found["features"], type=list[msgspec.Raw])), "column")
        family = next((value for key, value in found.items() if key.endswith("_constraints")), None)
        return "–" if family is None else _counted(len(msgspec.json.decode(family, type=dict[str, Any])), "metric")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "–"


def rows_of(statistics: bytes) -> int | None:
    """The number of rows that a baseline was made of, where its statistics tell."""
    try:
        return msgspec.json.decode(statistics, type=_Statistics).dataset.item_count
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def changes_between(before: bytes, after: bytes) -> tuple[list[Change], str]:
    """What differs between two documents, and why that cannot be told, where it cannot."""
    try:
        pair = [rules_of(read_any_constraints(document, "the version")) for document in (before, after)]
        return list(diff(*pair)), ""
    except InputError as error:
        return [], error.what


def _line(row: VersionRow, documents: dict[int, bytes]) -> VersionLine:
    changes: list[Change] = []
    if row.version == 1:
        told = "the first version"
    elif row.version not in documents or row.version - 1 not in documents:
        told = "too large to be compared here"
    else:
        changes, told = changes_between(documents[row.version - 1], documents[row.version])
    return VersionLine(row.version, row.created, row.author, row.note, changes, told)


def _users(rows: Sequence[tuple[str, str, str]]) -> dict[str, list[User]]:
    found: dict[str, list[User]] = {}
    for baseline, schedule, endpoint in rows:
        found.setdefault(baseline, []).append(User(schedule, endpoint))
    return found


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
