"""Baselines that the service keeps."""

from __future__ import annotations

from typing import Any

from driftline.client.connection import Connection, path_of
from driftline.resources.baselines import NewBaseline, StoredBaseline


class Baselines(Connection):
    """What a client can ask of baselines."""

    def list_baselines(self) -> list[StoredBaseline]:
        """Every baseline, by name."""
        return self._get(path_of("baselines"), list[StoredBaseline])

    def get_baseline(self, name: str) -> StoredBaseline:
        """One baseline with its documents."""
        return self._get(path_of("baselines", name), StoredBaseline)

    def put_baseline(
        self, name: str, constraints: dict[str, Any], statistics: dict[str, Any] | None = None
    ) -> StoredBaseline:
        """Store or replace a baseline: the contents of its ``constraints.json`` and ``statistics.json``.

        Raises :class:`InputError` with the line and the reason for constraints that cannot be used.
        """
        return self._write(
            "PUT", path_of("baselines", name), StoredBaseline, NewBaseline(constraints, statistics or {})
        )
