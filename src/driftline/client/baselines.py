"""Baselines that the service keeps."""

from __future__ import annotations

from typing import Any

from driftline.client.connection import Connection, path_of
from driftline.resources.baselines import BaselineVersion, NewBaseline, StoredBaseline


class Baselines(Connection):
    """What a client can ask of baselines."""

    def list_baselines(self) -> list[StoredBaseline]:
        """Every baseline, by name."""
        return self._get(path_of("baselines"), list[StoredBaseline])

    def get_baseline(self, name: str) -> StoredBaseline:
        """One baseline with its documents."""
        return self._get(path_of("baselines", name), StoredBaseline)

    def put_baseline(
        self,
        name: str,
        constraints: dict[str, Any],
        statistics: dict[str, Any] | None = None,
        *,
        note: str | None = None,
    ) -> StoredBaseline:
        """Store or replace a baseline: the contents of its ``constraints.json`` and ``statistics.json``.

        The ``note`` says why, for :meth:`list_baseline_versions`; whose token is shown is the author.

        Raises :class:`InputError` with the line and the reason for constraints that cannot be used.
        """
        return self._write(
            "PUT", path_of("baselines", name), StoredBaseline, NewBaseline(constraints, statistics or {}, note)
        )

    def delete_baseline(self, name: str) -> None:
        """Delete a baseline with its versions; :class:`ConflictError` while a schedule is held against it."""
        self._delete(path_of("baselines", name))

    def list_baseline_versions(self, name: str, *, limit: int = 100, offset: int = 0) -> list[BaselineVersion]:
        """The versions of a baseline's constraints, newest first, without the constraints themselves."""
        path = path_of("baselines", name, "versions")
        return self._get(path, list[BaselineVersion], limit=limit, offset=offset)

    def get_baseline_version(self, name: str, version: int) -> BaselineVersion:
        """One version of a baseline's constraints; raises :class:`NotFoundError` when there is none."""
        return self._get(path_of("baselines", name, "versions", str(version)), BaselineVersion)
