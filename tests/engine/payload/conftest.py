"""Decoding of a few records that are written down in the test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from driftline.core.window import Window
from driftline.engine.payload import Decoding, Reading, features, keys
from driftline.engine.reading import Found

Body = Any
TIME = "2026-11-22T10:00:00Z"


@dataclass
class Decoded:
    """The columns of every batch, the event and row of every row, and what was found."""

    found: Found
    columns: list[dict[str, list[Any]]] = field(default_factory=list)
    types: list[dict[str, str]] = field(default_factory=list)
    rows: list[list[tuple[str, int]]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def rejects(self) -> dict[tuple[str, str], int]:
        return {(reject.source, reject.reason): reject.count for reject in self.found.rejects}


def side(body: Body) -> dict[str, str]:
    """A text is CSV, a pair is an encoding with its text, and all else is JSON."""
    encoding, text = body if isinstance(body, tuple) else ("CSV", body) if isinstance(body, str) else ("JSON", None)
    return {"data": json.dumps(body) if text is None else text, "encoding": encoding}


def line(event: str, request: Body, answer: Body, time: str = TIME, inference_id: str | None = None) -> str:
    sides = {"endpointInput": request, "endpointOutput": answer}
    data = {name: side(body) for name, body in sides.items() if body is not None}
    metadata = {"eventId": event, "inferenceTime": time} | ({"inferenceId": inference_id} if inference_id else {})
    return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})


def decoded_files(files: list[Path], window: Window | None = None, **reading: Any) -> Decoded:
    with Decoding([str(file) for file in files], window, Reading(**reading), threads=1) as decoding:
        batches = list(decoding.batches())
        made = Decoded(decoding.found())
    for batch in batches:
        values, own = features(batch), keys(batch)
        made.columns.append({n: c.to_pylist() for n, c in zip(values.schema.names, values.columns, strict=True)})
        made.types.append({f.name: str(f.type) for f in values.schema})
        made.rows.append(list(zip(own.column("event").to_pylist(), own.column("row").to_pylist(), strict=True)))
        made.ids += own.column("id").to_pylist()
    return made


class Captures:
    """Writes captures and decodes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, *lines: str | bytes, name: str = "a.jsonl") -> Path:
        """A file of lines."""
        path = self.folder / name
        path.write_bytes(b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in lines))
        return path

    def line(self, event: str, request: Body, answer: Body, **metadata: Any) -> str:
        """A record as a line."""
        return line(event, request, answer, **metadata)

    def decode(self, *files: Path, window: Window | None = None, **reading: Any) -> Decoded:
        """What is in files."""
        return decoded_files(list(files), window, **reading)

    def __call__(self, *records: tuple[Body, Body], **reading: Any) -> Decoded:
        """Pairs of an input and an output, either of which may be None, as the events e0, e1, …."""
        lines = [line(f"e{number}", *bodies) for number, bodies in enumerate(records)]
        return self.decode(self.write(*lines), **reading)


@pytest.fixture
def captures(tmp_path: Path) -> Captures:
    """A folder for captures."""
    return Captures(tmp_path)
