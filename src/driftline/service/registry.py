"""The names that another system's clients gave to things of a service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.resources.registered import Registered
from driftline.storage import registered
from driftline.storage.database import Store


class Registry:
    """Remembers, finds and forgets names with their documents and tags. Every method is one transaction.

    Names that are not there raise :class:`NotFoundError`, and names that are taken :class:`ConflictError`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, kind: str, name: str, document: dict[str, Any], *, now: datetime, tags: dict[str, str]) -> Registered:
        """Remember a new name."""
        entry = Registered(kind, name, document, now, now, tags)
        with self._store.write() as db:
            registered.add(db, entry)
        return entry

    def get(self, kind: str, name: str) -> Registered:
        """One entry."""
        with self._store.read() as db:
            return registered.get(db, kind, name)

    def listing(self, kind: str) -> list[Registered]:
        """Every entry of a kind, newest first."""
        with self._store.read() as db:
            return registered.listing(db, kind)

    def change(self, kind: str, name: str, *, now: datetime, **changes: Any) -> None:
        """Replace the ``document`` or the ``tags`` of an entry."""
        with self._store.write() as db:
            registered.change(db, kind, name, now=now, **changes)

    def remove(self, kind: str, name: str) -> None:
        """Forget an entry."""
        with self._store.write() as db:
            registered.remove(db, kind, name)
