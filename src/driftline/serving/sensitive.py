"""Sensitive columns, hidden before a record is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec

from driftline.core.records import encoding_of
from driftline.resources.endpoints import CaptureSettings, Side
from driftline.serving.capture_records import Exchange
from driftline.serving.sensitive_csv import hide_csv
from driftline.serving.sensitive_json import hide_json
from driftline.serving.sensitive_values import Hide, UnhiddenError, hidden
from driftline.storage.capture_key import read_or_make

WITHHELD = "application/x-driftline-withheld"
"""The content type of a body of which nothing may be recorded, while it waits for its other side."""


class Curtain:
    """Hides what the settings of an endpoint call sensitive. ``key_file`` holds the key of hashes."""

    def __init__(self, key_file: Path | None) -> None:
        self._key_file = key_file
        self._key: bytes | None = None
        self._rules: Callable[[CaptureSettings, Side], tuple[dict[int, Hide], dict[str, Hide]]]
        self._rules = lru_cache(maxsize=256)(self._read)

    def hide(self, exchange: Exchange, settings: CaptureSettings) -> tuple[Exchange, CaptureSettings, str]:
        """The exchange as it may be recorded, with settings that leave out a side that cannot be hidden, and why."""
        asked = self.body(exchange.body, exchange.content_type, "input", settings) if settings.input else b""
        answered = self.body(exchange.answer, exchange.answer_type, "output", settings) if settings.output else b""
        reasons = [
            f"{side}: {found}" for side, found in (("input", asked), ("output", answered)) if isinstance(found, str)
        ]
        if isinstance(asked, str):
            asked, settings = b"", msgspec.structs.replace(settings, input=False)
        if isinstance(answered, str):
            answered, settings = b"", msgspec.structs.replace(settings, output=False)
        safe = Exchange(
            asked,
            exchange.content_type,
            answered,
            exchange.answer_type,
            exchange.inference_id,
            exchange.custom_attributes,
            exchange.event_id,
        )
        return safe, settings, "; ".join(reasons)

    def body(self, body: bytes, content_type: str, side: Side, settings: CaptureSettings) -> bytes | str:
        """One body as it may be recorded; a text that says why nothing of it may be. Never raises."""
        try:
            return self._hidden(body, content_type, side, settings)
        except UnhiddenError as error:
            return str(error)
        except Exception as error:  # of whatever kind: a body that was not hidden must not be recorded
            return type(error).__name__

    def _hidden(self, body: bytes, content_type: str, side: Side, settings: CaptureSettings) -> bytes:
        places, keys = self._rules(settings, side)
        if not places and not keys:
            return body
        encoding = encoding_of(content_type, settings.csv_types, settings.json_types)
        if encoding == "JSON":
            return hide_json(body, places, keys)
        if encoding == "BASE64":
            raise UnhiddenError("it is neither CSV nor JSON")
        if not places:
            raise UnhiddenError("CSV has no keys; name columns by their number")
        return hide_csv(body.decode(), places).encode()

    def _read(self, settings: CaptureSettings, side: Side) -> tuple[dict[int, Hide], dict[str, Hide]]:
        places: dict[int, Hide] = {}
        keys: dict[str, Hide] = {}
        for rule in settings.sensitive:
            if rule.side == side:
                hide = hidden(rule.action, self._hash_key)
                if isinstance(rule.column, int):
                    places[rule.column] = hide
                else:
                    keys[rule.column] = hide
        return places, keys

    def _hash_key(self) -> bytes:
        if self._key is None:
            if self._key_file is None:
                raise UnhiddenError("there is no key for hashes")
            self._key = read_or_make(self._key_file)
        return self._key
