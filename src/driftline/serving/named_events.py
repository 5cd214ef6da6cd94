"""A capture log for exchanges that bring their event id along."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from driftline.resources.endpoints import CaptureSettings, Side
from driftline.serving.capture_log import CaptureLog
from driftline.serving.capture_records import Exchange, capture_line
from driftline.serving.cloud_events import InferenceEvent
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.sampler import chosen, threshold
from driftline.serving.sensitive import WITHHELD


class NamedEventLog(CaptureLog):
    """Keeps the ``event_id`` that an exchange has, so that one recorded twice can be told from two of them.

    Every exchange must have one; those that are not captured lose it, as in the log of which this is a kind.
    """

    def _lines(self, endpoint: EndpointConfig, exchanges: Sequence[Exchange]) -> list[bytes]:
        settings, lines = endpoint.capture, []
        record = self._hidden_line if settings.sensitive else capture_line
        limit = threshold(settings.percent) if settings.input or settings.output else 0
        for exchange in exchanges:
            if limit and chosen(exchange.inference_id or str(exchange.event_id), limit):
                lines.append(record(exchange, settings, self._moment))
            else:
                exchange.event_id = None
        return lines

    def hide(self, event: InferenceEvent, settings: CaptureSettings) -> InferenceEvent:
        """An event with its sensitive columns hidden, before it waits for its other side."""
        if not settings.sensitive:
            return event
        side: Side = "input" if event.side == "request" else "output"
        found = self._curtain.body(event.body, event.content_type, side, settings)
        if isinstance(found, bytes):
            return msgspec.structs.replace(event, body=found)
        self._warn(f"{side}: {found}")
        return msgspec.structs.replace(event, body=b"", content_type=WITHHELD)

    def _hidden(self, exchange: Exchange, settings: CaptureSettings) -> tuple[Exchange, CaptureSettings, str]:
        """Both sides were hidden when they came; one of which nothing may be recorded is left out here."""
        if WITHHELD not in (exchange.content_type, exchange.answer_type):
            return exchange, settings, ""
        sides = {
            "input": settings.input and exchange.content_type != WITHHELD,
            "output": settings.output and exchange.answer_type != WITHHELD,
        }
        return exchange, msgspec.structs.replace(settings, **sides), "it was withheld when it came"
