"""A capture log for exchanges that bring their event id along."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.serving.capture_log import CaptureLog
from driftline.serving.capture_records import Exchange, capture_line
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.sampler import chosen, threshold


class NamedEventLog(CaptureLog):
    """Keeps the ``event_id`` that an exchange has, so that one recorded twice can be told from two of them.

    Every exchange must have one; those that are not captured lose it, as in the log of which this is a kind.
    """

    def _lines(self, endpoint: EndpointConfig, exchanges: Sequence[Exchange]) -> list[bytes]:
        settings, lines = endpoint.capture, []
        limit = threshold(settings.percent) if settings.input or settings.output else 0
        for exchange in exchanges:
            if limit and chosen(exchange.inference_id or str(exchange.event_id), limit):
                lines.append(capture_line(exchange, settings, self._moment))
            else:
                exchange.event_id = None
        return lines
