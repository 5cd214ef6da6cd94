"""The capture log: what was asked and answered, in the kernel before the answer leaves."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from driftline.core.records import utc
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.capture_records import Exchange, capture_line, event_id, inference_time
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.sampler import chosen, threshold
from driftline.serving.segment import Segment
from driftline.serving.sensitive import Curtain
from driftline.storage import spool

_log = logging.getLogger(__name__)
_Key = tuple[str, str]


class CaptureCount(msgspec.Struct, frozen=True):
    """How many requests of one endpoint in one UTC hour were captured, left out by sampling, or dropped.

    Of the captured ones, ``withheld`` have a side of which nothing was recorded.
    """

    endpoint: str
    hour: datetime
    captured: int
    sampled_out: int
    dropped: int
    withheld: int = 0


class CaptureLog:
    """Appends records under ``{root}/{endpoint}/{variant}/{yyyy}/{mm}/{dd}/{hh}/``, one open file for each endpoint.

    A file is followed by a new one with the hour, after ``max_bytes`` bytes and after ``max_age`` seconds. ``clock``
    gives seconds since the epoch. ``closed`` is told the path of every file that will not be written again. Capture
    never fails a request: what could not be written, or came while the spool beside ``root`` was full, is counted as
    dropped. ``key_file`` holds the key with which
    sensitive values are hashed. May be used from several threads.
    """

    def __init__(
        self,
        root: Path,
        clock: Callable[[], float],
        *,
        max_bytes: int = 64 << 20,
        max_age: float = 300.0,
        closed: Callable[[Path], None] | None = None,
        key_file: Path | None = None,
    ) -> None:
        self.root = root
        self._clock, self._max_bytes, self._max_age, self._closed = clock, max_bytes, max_age, closed
        self._segments: dict[_Key, Segment] = {}
        self._counts: dict[tuple[str, int], list[int]] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._second, self._moment = -1, ""
        self._complained = self._warned = -1
        self._full, self._spool_dropped = False, 0
        self._curtain, self._withheld = Curtain(key_file), 0

    def append(self, endpoint: EndpointConfig, exchanges: Sequence[Exchange]) -> None:
        """Records the exchanges that the endpoint's sampling chooses, with one write, and sets their ``event_id``.

        When it returns, every exchange that has an ``event_id`` is in the kernel. Never raises for a failed write.
        """
        now = self._clock()
        with self._lock:
            second = int(now)
            if second != self._second:
                self._new_second(second)
            lines = self._lines(endpoint, exchanges)
            captured = self._write(endpoint, lines, now) if lines else 0
            dropped = self._without_event(exchanges, captured, len(lines)) if captured < len(lines) else 0
            count = self._counts.get((endpoint.name, second // 3600))
            if count is None:
                count = self._counts[(endpoint.name, second // 3600)] = [0, 0, 0, 0]
            count[0] += captured
            count[1] += len(exchanges) - len(lines)
            count[2] += dropped
            if self._withheld:
                count[3] += self._withheld
                self._withheld = 0

    def count_dropped(self, endpoint: str, number: int = 1) -> None:
        """Counts requests that were not even brought to the log: their bodies were too large, or never complete."""
        hour = int(self._clock()) // 3600
        with self._lock:
            self._counts.setdefault((endpoint, hour), [0, 0, 0, 0])[2] += number

    def drain_counters(self) -> list[CaptureCount]:
        """What was counted since the last call, for each endpoint and UTC hour; the counters start again at 0."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return [CaptureCount(name, utc(hour * 3600), *numbers) for (name, hour), numbers in sorted(counts.items())]

    def rotate(self) -> None:
        """Closes the files whose hour or age is over, so that an idle endpoint's records can be shipped."""
        now = self._clock()
        self._full = spool.full(self.root.parent)
        with self._lock:
            if self._spool_dropped and spool.add_dropped(self.root.parent, self._spool_dropped):
                self._spool_dropped = 0
            for key, segment in list(self._segments.items()):
                if self._over(segment, now):
                    self._close(key)

    def release(self, endpoint: str) -> None:
        """Closes the files of an endpoint that is no longer served."""
        with self._lock:
            for key in [key for key in self._segments if key[0] == endpoint]:
                self._close(key)

    def close(self) -> None:
        """Closes every file. The log can be used again; it then opens new ones."""
        with self._lock:
            for key in list(self._segments):
                self._close(key)

    def forget(self) -> None:
        """In a process that was forked: the files are its parent's."""
        for segment in self._segments.values():
            segment.forget()
        self._segments, self._process = {}, os.getpid()

    def _new_second(self, second: int) -> None:
        """What need not be done for every request: the time as text, whether there is room for more, and whether our
        files are still ours."""
        self._second, self._moment = second, inference_time(second)
        self._full = spool.full(self.root.parent)
        if self._process != os.getpid():
            self.forget()
        for key in [key for key, segment in self._segments.items() if not segment.linked]:
            self._close(key)

    def _lines(self, endpoint: EndpointConfig, exchanges: Sequence[Exchange]) -> list[bytes]:
        settings, moment = endpoint.capture, self._moment
        limit = threshold(settings.percent) if settings.input or settings.output else 0
        if limit == 0:
            return []
        record = self._hidden_line if settings.sensitive else capture_line
        lines = []
        for exchange in exchanges:
            event = event_id()
            # At 100 % the limit is above every hash, so nothing need be hashed.
            if settings.percent >= 100 or chosen(exchange.inference_id or event, limit):
                exchange.event_id = event
                lines.append(record(exchange, settings, moment))
        return lines

    def _hidden_line(self, exchange: Exchange, settings: CaptureSettings, moment: str) -> bytes:
        """The line of a record with its sensitive columns hidden; without a side in which that is not possible."""
        safe, settings, reason = self._hidden(exchange, settings)
        if reason:
            self._withheld += 1
            self._warn(reason)
        return capture_line(safe, settings, moment)

    def _hidden(self, exchange: Exchange, settings: CaptureSettings) -> tuple[Exchange, CaptureSettings, str]:
        return self._curtain.hide(exchange, settings)

    def _write(self, endpoint: EndpointConfig, lines: list[bytes], now: float) -> int:
        """How many of the lines are now in a file."""
        key = (endpoint.name, endpoint.variant)
        if self._full:
            self._complain(endpoint.name, "the spool of what waits to be shipped is full")
            self._spool_dropped += len(lines)
            return 0
        try:
            segment = self._segment(key, now)
        except OSError as error:
            self._complain(endpoint.name, f"no file could be opened: {error}")
            return 0
        blob = lines[0] if len(lines) == 1 else b"".join(lines)
        kept = segment.append(blob)
        if kept == len(blob):
            return len(lines)
        self._complain(endpoint.name, f"only {kept} of {len(blob)} bytes could be written to {segment.path}")
        if not segment.usable:
            self._close(key)
        return blob.count(b"\n", 0, kept)

    def _segment(self, key: _Key, now: float) -> Segment:
        segment = self._segments.get(key)
        if segment is not None and self._over(segment, now):
            self._close(key)
            segment = None
        if segment is None:
            segment = Segment(self.root / key[0] / key[1], utc(now), UUID(event_id()))
            self._segments[key] = segment
        return segment

    def _over(self, segment: Segment, now: float) -> bool:
        return (
            segment.size >= self._max_bytes
            or not 0 <= now - segment.opened < self._max_age
            or now // 3600 != segment.opened // 3600
        )

    def _close(self, key: _Key) -> None:
        segment = self._segments.pop(key)
        segment.close()
        if self._closed is not None and segment.size:
            self._closed(segment.path)

    def _without_event(self, exchanges: Sequence[Exchange], captured: int, lines: int) -> int:
        """Takes the event id back from the exchanges whose record was not kept; how many they are."""
        chosen_ones = [exchange for exchange in exchanges if exchange.event_id is not None]
        for exchange in chosen_ones[captured:]:
            exchange.event_id = None
        return lines - captured

    def _warn(self, reason: str) -> None:
        """One line a minute; a reason holds nothing of a body."""
        if self._second // 60 != self._warned:
            self._warned = self._second // 60
            _log.warning("a body is not captured, its sensitive columns cannot be hidden: %s", reason)

    def _complain(self, endpoint: str, reason: str) -> None:
        """One line a minute: a full disk fails every request alike, and the log is often on the same disk."""
        if self._second // 60 != self._complained:
            self._complained = self._second // 60
            _log.error("endpoint %s: capture is dropping records: %s", endpoint, reason)
