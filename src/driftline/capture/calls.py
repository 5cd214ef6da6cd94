"""``capture.log``: one prediction recorded by a call."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from driftline.capture.recorder import Recorder, recorder_of
from driftline.core.records import check_id
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import EndpointConfig

_encode = msgspec.json.Encoder(enc_hook=lambda value: value.tolist()).encode
_ALL = CaptureSettings()


class Counts(NamedTuple):
    """Numbers of requests of one endpoint in this process: each of them is in exactly one of these."""

    captured: int
    sampled_out: int
    dropped: int


def log(
    endpoint: str,
    input: Any,  # noqa: A002 -- the two sides have the names that records give them
    output: Any,
    *,
    data: str | Path,
    inference_id: str | None = None,
    input_type: str | None = None,
    output_type: str | None = None,
    custom_attributes: str | None = None,
    capture: CaptureSettings = _ALL,
    variant: str = "AllTraffic",
) -> str | None:
    """Record one prediction for an endpoint of the service that works on the folder ``data``.

    ``input`` and ``output`` are bytes or text as they went over the wire, CSV unless ``input_type`` and
    ``output_type`` say otherwise, or values (lists, dicts, numbers, arrays) that are recorded as JSON. ``inference_id``
    is what a label will name. Returns the event's id, which a label may name where there is no inference id; None when
    ``capture`` left the request out or it could not be recorded, which :func:`counts` tells.

    The record is with the kernel when the call returns. Raises :class:`InputError` for what is no name of an endpoint
    or variant, and nothing else: a full disk or a value that cannot be written must not fail a prediction.
    """
    recorder, config = recorder_of(data), _config(endpoint, variant, capture)
    try:
        asked, asked_type = _body(input, input_type)
        answered, answered_type = _body(output, output_type)
        name = None if inference_id is None else check_id(inference_id)
        exchange = Exchange(asked, asked_type, answered, answered_type, name, custom_attributes)
    except Exception:
        recorder.lost(endpoint)
        return None
    return recorder.record(config, exchange)


def counts(endpoint: str, *, data: str | Path) -> Counts:
    """What became of the requests of an endpoint that this process captured into a folder."""
    return Counts(*recorder_of(data).counts(endpoint))


def flush(*, data: str | Path) -> None:
    """Store the counts and close the files now, as is done when the process ends."""
    recorder: Recorder = recorder_of(data)
    recorder.close()


@lru_cache(maxsize=256)
def _config(endpoint: str, variant: str, capture: CaptureSettings) -> EndpointConfig:
    return EndpointConfig(endpoint, None, variant, capture)


def _body(value: Any, content_type: str | None) -> tuple[bytes, str]:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value), content_type or "text/csv"
    if isinstance(value, str):
        return value.encode(), content_type or "text/csv"
    return _encode(value), content_type or "application/json"
