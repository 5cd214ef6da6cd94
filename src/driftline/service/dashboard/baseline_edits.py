"""Changing a baseline's constraints: what somebody proposes is looked at first, and kept as a version then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from driftline.core.constraint_changes import Change, diff
from driftline.core.constraint_documents import Rules, any_constraints_document, read_any_constraints, rules_of
from driftline.core.constraint_edits import with_changes
from driftline.core.constraint_paths import parse_edit, parse_value
from driftline.core.documents import dump
from driftline.core.errors import InputError, TooLargeError
from driftline.service import Service
from driftline.storage import baseline_versions, baselines
from driftline.storage.baseline_versions import Edit

MOST_DOCUMENT_BYTES = 1 << 20
_MOST_TRIED = 100
Edits = list[tuple[str, Any]]


class Proposal(msgspec.Struct, frozen=True):
    """Constraints that somebody would put in the place of version ``since``, and what that changes.

    Where ``newest`` is another version, ``theirs`` is what was changed meanwhile.
    """

    baseline: str
    since: int
    newest: int
    document: str
    changes: list[Change]
    theirs: list[Change]

    @property
    def late(self) -> bool:
        """Whether somebody else was faster."""
        return self.newest != self.since


class FieldsError(InputError):
    """Some fields of a form are wrong: ``fields`` says what is wrong with each by its path."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("nothing was changed", evidence="; ".join(fields.values()), hint="mend these and try again")
        self.fields = dict(fields)


def edits_of(given: Mapping[str, str], lines: str) -> Edits:
    """The edits that fields of a form (path: what was typed, empty to take it away) and further lines ask for."""
    fields = [(path, parse_value(path, text) if text.strip() else None) for path, text in given.items()]
    return [*fields, *(parse_edit(line) for line in lines.splitlines() if line.strip())]


def edited(before: Rules, edits: Edits) -> Rules:
    """Constraints with edits made. Raises :class:`FieldsError` with everything that is wrong."""
    try:
        return with_changes(before, edits)
    except InputError as error:
        wrong = dict(_wrong(before, edits[:_MOST_TRIED]))
        raise FieldsError(wrong or {"": error.what}) from None


def propose(service: Service, name: str, since: int, after: Rules | bytes, *, rebase: bool = False) -> Proposal:
    """Compare constraints with the version they were made from, and that with the newest.

    With ``rebase`` what they change is changed in the newest version instead. Raises :class:`InputError` for what is no
    document of these constraints, :class:`NotFoundError` for a version that is not there.
    """
    with service.store.read() as db:
        newest = baseline_versions.newest(db, name)
        base = read_rules(baseline_versions.document(db, name, since))
        current = base if newest == since else read_rules(baseline_versions.document(db, name, newest))
    wanted = read_rules(after, "the document") if isinstance(after, bytes) else after
    if rebase:
        edits = [(change.path, change.after) for change in diff(base, wanted)]
        since, base, wanted = newest, current, edited(current, edits)
    text = msgspec.json.encode(any_constraints_document(wanted)).decode()
    return Proposal(name, since, newest, text, list(diff(base, wanted)), list(diff(base, current)))


def save(service: Service, name: str, document: bytes, edit: Edit) -> int:
    """Keep constraints as a new version; the statistics stay. The number of the version.

    Raises :class:`InputError` for what is no document of these constraints, :class:`ConflictError` when somebody else
    was faster.
    """
    wanted = read_rules(document, "the document")
    with service.store.write() as db:
        current = baselines.get(db, name)
        diff(read_rules(current.constraints), wanted)
        changed = msgspec.structs.replace(current, constraints=document_of(wanted))
        return baselines.put(db, changed, edit)


def rules_of_version(service: Service, name: str, version: int) -> Rules:
    """The constraints of a version."""
    with service.store.read() as db:
        return read_rules(baseline_versions.document(db, name, version))


def read_rules(document: bytes, source: str = "the baseline") -> Rules:
    """Constraints that can be changed. Raises :class:`InputError` with the reason for others."""
    if len(document) > MOST_DOCUMENT_BYTES:
        evidence = f"{len(document):,} bytes of at most {MOST_DOCUMENT_BYTES:,}"
        raise TooLargeError(f"{source} is too large", evidence=evidence, hint="put it with the API or the command line")
    return rules_of(read_any_constraints(document, source))


def document_of(constraints: Rules) -> bytes:
    """The document that is stored of constraints."""
    return dump(any_constraints_document(constraints))


def _wrong(before: Rules, edits: Edits) -> list[tuple[str, str]]:
    """What is wrong with each edit that cannot be made, each tried alone."""
    found = []
    for path, value in edits:
        try:
            with_changes(before, [(path, value)])
        except InputError as error:
            found.append((path, error.what))
    return found
