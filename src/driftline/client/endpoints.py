"""Endpoints: deploy, invoke, capture, and the ground truth of their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from driftline.client.connection import Connection, path_of
from driftline.core.errors import InputError
from driftline.resources.endpoints import CaptureChange, CaptureHour, Endpoint, sensitive_columns
from driftline.resources.labels import LabelFormat, LabelReceipt


class Endpoints(Connection):
    """What a client can ask of endpoints."""

    def list_endpoints(self) -> list[Endpoint]:
        """Every endpoint, by name."""
        return self._get(path_of("endpoints"), list[Endpoint])

    def get_endpoint(self, name: str) -> Endpoint:
        """One endpoint."""
        return self._get(path_of("endpoints", name), Endpoint)

    def deploy(
        self,
        name: str,
        model: str | Path,
        *,
        capture_percent: float | None = None,
        capture_input: bool | None = None,
        capture_output: bool | None = None,
        sensitive: Sequence[str] | None = None,
        destination: str | None = None,
        variant: str | None = None,
    ) -> Endpoint:
        """Deploy a model file as an endpoint, or give the endpoint another model.

        Capture settings that are left out stay; a new endpoint captures both sides of every request (100 percent).
        ``sensitive`` columns, such as ``input:3:hash``, are hidden in the record. Captures also appear
        below ``destination``, an ``s3://`` folder. ``variant`` is what the model is called in captures.
        Raises :class:`ModelError` for a file that is no usable model, and then nothing has changed.
        """
        path = Path(model)
        return self._upload(
            "PUT",
            path_of("endpoints", name),
            Endpoint,
            _read(path),
            filename=path.name,
            capture_percent=capture_percent,
            capture_input=capture_input,
            capture_output=capture_output,
            sensitive=None if sensitive is None else ",".join(sensitive),
            destination=destination,
            variant=variant,
        )

    def configure_capture(
        self,
        name: str,
        *,
        percent: float | None = None,
        input: bool | None = None,  # noqa: A002 -- the setting's own name
        output: bool | None = None,
        sensitive: Sequence[str] | None = None,
        destination: str | None = None,
    ) -> Endpoint:
        """Change capture settings of a serving endpoint; ``percent`` is from 0 to 100, what is left out stays.

        ``sensitive`` columns, such as ``input:3:hash``, replace those that were so. Captures also appear below
        ``destination``, an ``s3://`` folder; an empty text is none.
        """
        change = CaptureChange(percent, input, output, sensitive_columns(sensitive), destination)
        return self._write("PATCH", path_of("endpoints", name, "capture"), Endpoint, change)

    def delete_endpoint(self, name: str) -> None:
        """Stop serving an endpoint and pause its schedules; captures, labels and reports stay."""
        self._delete(path_of("endpoints", name))

    def capture_counts(
        self, name: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> list[CaptureHour]:
        """Captured, sampled-out and dropped requests by hour, in order; of the last day by default."""
        return self._get(path_of("endpoints", name, "captures"), list[CaptureHour], start=start, end=end)

    def invoke(
        self, name: str, body: bytes, content_type: str = "text/csv", *, inference_id: str | None = None
    ) -> bytes:
        """The model's answer to one request, as it was sent; ``inference_id`` is what a label will name."""
        headers = {"Content-Type": content_type} | ({"X-Inference-Id": inference_id} if inference_id else {})
        path = f"/endpoints/{quote(name, safe='')}/invocations"
        return self._send("POST", path, content=body, headers=headers).content

    def put_labels(
        self,
        name: str,
        body: bytes,
        kind: LabelFormat,
        *,
        id_column: str | None = None,
        label_column: str | None = None,
    ) -> LabelReceipt:
        """Put ground truth, all of it or, with an :class:`InputError` that names the line, nothing.

        ``jsonl`` holds ground-truth records; ``csv`` has a header with an id and a label column, which may be named.
        """
        path = path_of("endpoints", name, "labels")
        query = {"format": kind, "id_column": id_column, "label_column": label_column}
        return self._upload("POST", path, LabelReceipt, body, **query)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        evidence = error.strerror or str(error)
        raise InputError(f"{path} cannot be read", evidence=evidence, hint="check the path") from None
