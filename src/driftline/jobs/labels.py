"""Labels that arrive: checked whole, then written as one file of ground-truth records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import uuid4

import msgspec

from driftline.core.errors import InputError, TooLargeError
from driftline.core.records import (
    EventMetadata,
    GroundTruthData,
    GroundTruthRecord,
    check_id,
    utc,
)
from driftline.jobs.label_values import label_of
from driftline.resources.labels import LabelFormat, LabelReceipt
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout

MOST_BYTES = 256 * 1024 * 1024
ID_COLUMNS = ("id", "inference_id", "event_id", "inferenceId", "eventId")
LABEL_COLUMNS = ("label", "ground_truth", "groundTruth")
_encoder = msgspec.json.Encoder()


def put_labels(
    layout: Layout,
    endpoint: str,
    body: bytes,
    kind: LabelFormat,
    now: float,
    *,
    id_column: str | None = None,
    label_column: str | None = None,
    most_bytes: int = MOST_BYTES,
) -> LabelReceipt:
    """Store labels under ``labels/ENDPOINT/yyyy/mm/dd/hh/``, the hour of collection (``now``, epoch seconds).

    ``jsonl`` holds ground-truth records, whose label may be any value that :mod:`driftline.jobs.label_values` takes;
    ``csv`` has a header with an id and a label column, found by their usual
    names unless given; a row whose label is empty has none yet and is counted. All or nothing: the first line that
    cannot be used raises :class:`InputError` naming it, more than ``most_bytes`` :class:`TooLargeError`.
    """
    moment = utc(now)
    folder = layout.label_hour(endpoint, moment)
    if len(body) > most_bytes:
        raise TooLargeError(
            f"{len(body):,} bytes of labels are too many at once",
            evidence=f"the limit is {most_bytes:,}",
            hint="send them in several parts",
        )
    if kind == "csv":
        records, without = _from_csv(_text(body), id_column, label_column)
    else:
        records, without = _from_lines(body), 0
    if not records:
        return LabelReceipt(0, without)
    path = folder / f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid4()}.jsonl"
    write_atomic(path, _encoder.encode_lines(records))
    return LabelReceipt(len(records), without, layout.relative(path))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"the labels, line {line}: not UTF-8 text", evidence=str(error), hint="save the file as UTF-8"
        ) from None


def _from_lines(body: bytes) -> list[GroundTruthRecord]:
    records = []
    # Line by line, not in one call: JSON may span lines, and a stored record must not.
    for number, line in enumerate(_text(body).split("\n"), 1):
        if line.strip():
            try:
                records.append(label_of(line))
            except InputError as error:
                raise _at_line(number, error) from None
    return records


def _from_csv(text: str, id_column: str | None, label_column: str | None) -> tuple[list[GroundTruthRecord], int]:
    records: list[GroundTruthRecord] = []
    without = 0
    for line, identifier, value in _cells(text, id_column, label_column):
        if not value:
            without += 1
            continue
        try:
            records.append(GroundTruthRecord(GroundTruthData(value), EventMetadata(check_id(identifier))))
        except InputError as error:
            raise _at_line(line, error) from None
    return records, without


def _cells(text: str, id_column: str | None, label_column: str | None) -> Iterator[tuple[int, str, str]]:
    """(line, id, label) of every row that is not blank."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        ids = _column(header, id_column, ID_COLUMNS, "id")
        labels = _column(header, label_column, LABEL_COLUMNS, "label")
        for row in rows:
            if len(row) == len(header):
                yield rows.line_num, row[ids].strip(), row[labels].strip()
            elif row:
                raise InputError(
                    f"the labels, line {rows.line_num}: {len(row)} cells, the header has {len(header)}",
                    evidence=",".join(row)[:200],
                    hint="quote cells that hold a comma",
                )
    except csv.Error as error:
        raise InputError(
            f"the labels, line {rows.line_num}: not valid CSV", evidence=str(error), hint="check the quotes there"
        ) from None


def _column(header: list[str], given: str | None, usual: tuple[str, ...], what: str) -> int:
    found = [given] if given is not None else [name for name in usual if name in header]
    if len(found) == 1 and header.count(found[0]) == 1:
        return header.index(found[0])
    problem = f"{len(found)} columns that could be" if len(found) > 1 else f"no column {given or usual[0]!r} for"
    raise InputError(
        f"the labels have {problem} the {what}",
        evidence=f"the header is: {', '.join(header)[:200] or 'empty'}",
        hint=f"name one {' or '.join(map(repr, usual[:3]))}, or say which column it is",
    )


def _at_line(number: int, error: InputError) -> InputError:
    return InputError(f"the labels, line {number}: {error.what}", evidence=error.evidence, hint=error.hint)
