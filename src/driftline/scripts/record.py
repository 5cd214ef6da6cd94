"""What a preprocessing handler is given of a captured event, under the names that SageMaker's scripts know."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.core.errors import InputError


class Side(msgspec.Struct):
    """One side of an event as it was captured. ``encoding`` is CSV, JSON or BASE64; ``mode`` INPUT or OUTPUT."""

    data: str
    encoding: str | None = None
    observedContentType: str | None = None  # noqa: N815 - the name that scripts use
    mode: str | None = None


class EventMetadata(msgspec.Struct, rename={"custom_attribute": "customAttributes", "event_time": "inferenceTime"}):
    """Who and when. ``event_time`` is the text of the record; ``custom_attribute`` the caller's attributes, if any."""

    event_id: str | None = msgspec.field(name="eventId", default=None)
    inference_id: str | None = msgspec.field(name="inferenceId", default=None)
    event_time: str | None = None
    custom_attribute: list[str] | None = None


class _Sides(msgspec.Struct, rename="camel"):
    endpoint_input: Side | None = None
    endpoint_output: Side | None = None
    batch_transform_output: Side | None = None


class _Document(msgspec.Struct, rename="camel"):
    capture_data: _Sides
    event_metadata: EventMetadata
    event_version: str | None = None
    ground_truth_data: Side | None = None


_decoder = msgspec.json.Decoder(_Document)


class InferenceRecord:
    """A captured event. A side that was not captured, or a truth that is not known, is None.

    >>> line = b'{"captureData":{"endpointInput":{"data":"1,2","encoding":"CSV"}},"eventMetadata":{"eventId":"e"}}'
    >>> record = InferenceRecord(line)
    >>> record.endpoint_input.data, record.endpoint_output, record.event_metadata.event_id
    ('1,2', None, 'e')
    """

    def __init__(self, line: bytes) -> None:
        """Raises :class:`InputError` for a line that is no capture record."""
        try:
            found = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise InputError(f"not a capture record: {error}") from None
        self._line = line
        self.endpoint_input = found.capture_data.endpoint_input
        self.endpoint_output = found.capture_data.endpoint_output
        self.batch_transform_output = found.capture_data.batch_transform_output
        self.ground_truth = found.ground_truth_data
        self.event_metadata = found.event_metadata
        self.event_version = found.event_version

    def as_dict(self) -> dict[str, Any]:
        """The whole event as it stands in the file, a new dictionary with each call."""
        found: dict[str, Any] = msgspec.json.decode(self._line)
        return found

    def __repr__(self) -> str:
        return f"<InferenceRecord {self.event_metadata.event_id}>"
