"""Endpoints whose model is served elsewhere, and what comes from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from driftline.client.connection import Connection, instant, path_of
from driftline.resources.captures import EventReceipt, ImportReceipt
from driftline.resources.endpoints import Endpoint, NewEndpoint, sensitive_columns


class Elsewhere(Connection):
    """What a client can ask about predictions that the service does not make."""

    def register_endpoint(
        self,
        name: str,
        *,
        upstream: str | None = None,
        capture_percent: float | None = None,
        capture_input: bool | None = None,
        capture_output: bool | None = None,
        sensitive: Sequence[str] | None = None,
    ) -> Endpoint:
        """Create an endpoint without a model, or take its model from an existing one.

        With an ``upstream``, the URL of an HTTP model server, its requests are forwarded there; without one it is
        external: it answers nothing, and captures come by ``driftline.capture``, by events or by import. Capture
        settings that are left out stay. ``sensitive`` columns, such as ``input:3:hash``, are hidden in the record.
        """
        hidden = sensitive_columns(sensitive)
        wanted = NewEndpoint(upstream, capture_percent, capture_input, capture_output, hidden)
        return self._write("PUT", path_of("endpoints", name, "registration"), Endpoint, wanted)

    def put_events(self, name: str, body: bytes, headers: Mapping[str, str]) -> EventReceipt:
        """Send CloudEvents as they are: the attributes in ``headers``, or in the body that their type tells of."""
        response = self._send("POST", path_of("endpoints", name, "events"), content=body, headers=dict(headers))
        return self._answer(response, EventReceipt)

    def import_captures(self, name: str, body: bytes, *, variant: str = "AllTraffic") -> ImportReceipt:
        """Send capture records, one a line; the same content is stored once."""
        return self._upload("POST", path_of("endpoints", name, "captures"), ImportReceipt, body, variant=variant)

    def import_labels(self, name: str, body: bytes, *, collected: datetime | str) -> ImportReceipt:
        """Send ground-truth records, one a line, that were collected at a time; the same content is stored once."""
        moment = instant(collected) if isinstance(collected, datetime) else collected
        path = path_of("endpoints", name, "labels", "import")
        return self._upload("POST", path, ImportReceipt, body, collected=moment)


def total(receipts: list[ImportReceipt]) -> ImportReceipt:
    """What became of several imports together."""
    samples = tuple(sample for receipt in receipts for sample in receipt.samples)[:3]
    return ImportReceipt(
        sum(receipt.records for receipt in receipts),
        sum(receipt.files for receipt in receipts),
        sum(receipt.repeated for receipt in receipts),
        sum(receipt.refused for receipt in receipts),
        samples,
    )
