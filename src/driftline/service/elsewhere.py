"""Endpoints whose model is served elsewhere: registered, told by events, filled from files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from driftline.core.errors import DriftlineError, InputError
from driftline.core.records import encode_line
from driftline.core.window import parse_time
from driftline.jobs.label_values import label_of
from driftline.resources.captures import EventReceipt, ImportReceipt
from driftline.resources.endpoints import CaptureSettings, Endpoint, ModelDescription
from driftline.service.endpoints import changed_settings
from driftline.service.wiring import Wiring
from driftline.serving.capture_log import CaptureCount
from driftline.serving.capture_records import Exchange
from driftline.serving.cloud_events import read_events
from driftline.serving.endpoints import EndpointConfig, check_name
from driftline.serving.importing import import_lines, read_capture
from driftline.serving.named_events import NamedEventLog
from driftline.serving.pairing import WAIT_SECONDS, Pairing
from driftline.serving.upstream import check_upstream
from driftline.storage import capture_counts, endpoints
from driftline.storage.destinations import show_captures

_log = logging.getLogger(__name__)
MOST_EVENT_BYTES = 64 << 20
MOST_IMPORT_BYTES = 256 << 20


class Elsewhere(Wiring):
    """What a service does with predictions that it does not make."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._event_log = NamedEventLog(self.layout.data / "captures", self.clock, key_file=self.layout.capture_key)
        self._pairing = Pairing(self.layout.data / "events.db")

    def close(self) -> None:
        """Give the files and the database connections back."""
        self._event_log.close()
        counts = self._event_log.drain_counters()
        if counts:
            with self.store.write() as db:
                for count in counts:
                    delta = capture_counts.CaptureCounts(
                        count.captured, count.sampled_out, count.dropped, count.withheld
                    )
                    capture_counts.add(db, count.endpoint, count.hour, delta)
        self._pairing.close()
        super().close()

    def register_endpoint(
        self, name: str, capture: dict[str, Any] | None = None, *, upstream: str | None = None
    ) -> Endpoint:
        """Create an endpoint without a model, or take its model from an existing one. ``capture`` left out stays.

        With an ``upstream``, the URL of an HTTP model server, its requests are forwarded there; without one it is
        external: it answers nothing, and its captures come by ``driftline.capture``, by events or by import.
        """
        check_name("endpoint", name)
        if upstream is not None:
            check_upstream(upstream)
        self.layout.captures(name).mkdir(parents=True, exist_ok=True)
        with self.store.write() as db:
            endpoints.change_alone(db)
            current = endpoints.find(db, name)
            before = CaptureSettings() if current is None else current.capture
            settings = changed_settings(before, capture or {})
            if settings.destination:
                show_captures(self.layout, name, settings.destination)
            write = endpoints.create if current is None else endpoints.change
            model, now = ModelDescription(), self.now()
            return write(db, name, model_path="", model=model, capture=settings, now=now, upstream=upstream)

    def put_events(self, name: str, body: bytes, headers: Mapping[str, str]) -> EventReceipt:
        """Take the CloudEvents of one request: all of them or, with an :class:`InputError`, none.

        A request and its response become one capture record when both are there, in the hour in which that is so.
        """
        events = read_events({key.lower(): value for key, value in headers.items()}, body)
        with self.store.read() as db:
            config = _config(endpoints.get(db, name))
        events = [self._event_log.hide(event, config.capture) for event in events]
        self._event_log.rotate()
        now = self.clock()
        return self._pairing.add(name, events, now, lambda pairs: self._event_log.append(config, pairs))

    def keep_events(self) -> list[CaptureCount]:
        """Let go of events that waited too long; what became of events since the last call, for the store."""
        try:
            self._pairing.expire(self.clock() - WAIT_SECONDS, self._lone)
        except DriftlineError as error:
            # They wait for the next time, and what was counted is told all the same.
            _log.error("events that wait were left alone: %s", error)
        self._event_log.rotate()
        return self._event_log.drain_counters()

    def import_captures(self, name: str, body: bytes, *, variant: str = "AllTraffic") -> ImportReceipt:
        """Take capture records of another system, each into the hour of its inference; the same content once."""
        check_name("variant", variant)
        self._existing(name)
        return import_lines(body, self.layout.captures(name) / variant, read_capture)

    def import_labels(self, name: str, body: bytes, *, collected: str) -> ImportReceipt:
        """Take ground-truth records of another system into the hour they were collected in; the same content once."""
        self._existing(name)
        moment = parse_time(collected)

        def read(line: bytes) -> tuple[datetime, bytes]:
            return moment, encode_line(label_of(_text(line))).rstrip()

        return import_lines(body, self.layout.labels(name), read)

    def _existing(self, name: str) -> Endpoint:
        with self.store.read() as db:
            return endpoints.get(db, name)

    def _lone(self, name: str, exchange: Exchange | None) -> None:
        """An event that stayed alone: a response is worth a record of its own, a request is no prediction."""
        found = None
        if exchange is not None:
            with self.store.read() as db:
                found = endpoints.find(db, name)
        if found is None or exchange is None:
            self._event_log.count_dropped(name)
            return
        self._event_log.append(_config(found, input=False), [exchange])


def _config(endpoint: Endpoint, **changes: Any) -> EndpointConfig:
    capture = msgspec.structs.replace(endpoint.capture, **changes)
    return EndpointConfig(endpoint.name, None, endpoint.variant, capture, endpoint.revision)


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", evidence=str(error), hint="save the file as UTF-8") from None
