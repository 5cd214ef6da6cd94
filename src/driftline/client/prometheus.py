"""The state of a service as Prometheus reads it."""

from __future__ import annotations

from driftline.client.connection import Connection


class Prometheus(Connection):
    """What a client can ask in Prometheus's place."""

    def prometheus(self) -> bytes:
        """Everything there is to see, in Prometheus's text format."""
        return self._send("GET", "/metrics").content
