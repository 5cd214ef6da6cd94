"""How long data is kept, and cleaning up."""

from __future__ import annotations

from driftline.client.connection import Connection, path_of
from driftline.resources.endpoints import Endpoint
from driftline.resources.retention import Retention, RetentionReport


class Retaining(Connection):
    """What a client can ask of old data."""

    def set_retention(self, name: str, retention: Retention) -> Endpoint:
        """Say how long an endpoint's data is kept; what is left out stays, ``forever`` keeps a kind again.

        Raises :class:`InputError` for what is no duration, or shorter than an hour.
        """
        return self._write("PATCH", path_of("endpoints", name, "retention"), Endpoint, retention)

    def run_retention(self, *, dry_run: bool = False) -> RetentionReport:
        """Take away what need not be kept, or only say what that is; the scheduler does it once a day."""
        return self._upload("POST", path_of("retention", "run"), RetentionReport, b"", dry_run=dry_run)
