"""One file of records to one file of answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import DriftlineError, InputError
from driftline.engine.csv_blocks import joined_lines
from driftline.engine.payload.documents import Documents
from driftline.engine.texts import Array
from driftline.resources.transforms import TransformSettings
from driftline.serving.errors import MediaTypeError
from driftline.serving.payload import CSV, JSON, body_type, format_answer
from driftline.serving.runtime import Model
from driftline.serving.transform.answers import answers, answers_to_lines, cells_of_answers, documents_of_answers
from driftline.serving.transform.documents import filtered, first_broken, wrapped
from driftline.serving.transform.lines import inference_ids, lines_of, selected, text_of

JSON_LINES = "application/jsonlines"
_BLOCK = 20_000


class Transformed(msgspec.Struct, frozen=True):
    """The content of the file of answers, and how many rows were predicted."""

    content: bytes
    records: int


class Transformer:
    """Answers files with one model in one way. ``time`` is the beginning of the job, which answers carry.

    Raises :class:`InputError` for settings that do not go together.
    """

    def __init__(self, model: Model, settings: TransformSettings, time: datetime) -> None:
        self._model, self._settings = model, settings
        self._time = time.strftime("%Y-%m-%dT%H:%M:%SZ")
        given = settings.content_type.partition(";")[0].strip().lower()
        wanted = settings.accept.partition(";")[0].strip().lower() or given
        self._type, self._accept = _kind(given), _kind(wanted)
        self._by_line = settings.split == "Line" or given == JSON_LINES
        self._listed = wanted == JSON
        if settings.join and self._type != self._accept:
            raise InputError(
                "an answer in another format cannot stand beside its record",
                evidence=f"{given} is read and {wanted} written",
                hint="accept the content type, or do not join",
            )

    def file(self, content: bytes, source: str) -> Transformed:
        """The answers to the records of a file; raises :class:`InputError` naming file and line."""
        if not content.strip():
            raise InputError(f"{source} is empty", hint="leave it out, or write records into it")
        with closing(Documents()) as json:
            if self._type == CSV and (self._by_line or self._accept == CSV):
                blocks = self._csv(json, lines_of(content, source), source)
            elif self._by_line:
                blocks = self._json_lines(json, lines_of(content, source), source)
            else:
                blocks = iter([self._document(json, content, source)])
            return _assembled(list(blocks), ended=self._settings.assemble == "Line")

    def _csv(self, json: Documents, lines: Array, source: str) -> Iterator[tuple[Array, int]]:
        for first, block in _blocks(lines):
            chosen = selected(block, self._settings.input_filter, source, first)
            values = answers_to_lines(self._model, chosen, CSV, source, first)
            yield self._answered(json, block, values, source, first), len(values)

    def _json_lines(self, json: Documents, lines: Array, source: str) -> Iterator[tuple[Array, int]]:
        for first, block in _blocks(lines):
            broken = first_broken(json, block)
            if broken is not None:
                hint = "give every line one JSON document"
                evidence = block[broken].as_py()[:80]
                raise InputError(f"{source}, line {first + broken}: no JSON", evidence=evidence, hint=hint)
            chosen = filtered(json, block, self._settings.input_filter, source, first)
            values = answers_to_lines(self._model, chosen, JSON, source, first)
            yield self._answered(json, block, values, source, first), len(values)

    def _answered(self, json: Documents, records: Array, values: list[Any], source: str, first: int) -> Array:
        """What is written for records that each have one value."""
        if self._accept == CSV:
            return self._rows(records, values, source, first)
        return self._written(json, records, documents_of_answers(values, listed=self._listed), source, first)

    def _rows(self, records: Array, values: list[Any], source: str, first: int) -> Array:
        """Rows of CSV; the id and the time come last, whatever the filter keeps."""
        cells = cells_of_answers(values)
        rows = pc.binary_join_element_wise(records, cells, ",") if self._settings.join else cells
        rows = selected(rows, self._settings.output_filter, source, first)
        if not self._settings.generate_ids:
            return rows
        return pc.binary_join_element_wise(rows, inference_ids(len(rows)), self._time, ",")

    def _written(self, json: Documents, records: Array, answered: Array, source: str, first: int) -> Array:
        """Documents; an id is a key like any other, so that the filter must keep it."""
        if self._settings.generate_ids or self._settings.join:
            ids = inference_ids(len(answered)) if self._settings.generate_ids else None
            answered = wrapped(json, answered, records if self._settings.join else None, ids, self._time)
        return filtered(json, answered, self._settings.output_filter, source, first)

    def _document(self, json: Documents, content: bytes, source: str) -> tuple[Array, int]:
        """The whole file as one request; its answer is one document, with one id, or rows of CSV."""
        record = pa.array([text_of(content, source).strip()])
        if self._type == JSON and first_broken(json, record) is not None:
            hint = "give every file one JSON document, or split it by lines"
            raise InputError(f"{source}: no JSON", evidence=record[0].as_py()[:80], hint=hint)
        body = record if self._type == CSV else filtered(json, record, self._settings.input_filter, source, 1)
        if self._type == CSV:
            body = selected(lines_of(content, source), self._settings.input_filter, source, 1)
        try:
            values = answers(self._model, joined_lines(body).to_pybytes(), self._type)
        except DriftlineError as error:
            raise InputError(f"{source}: {error.what}", evidence=error.evidence, hint=error.hint) from None
        if self._accept == CSV:
            return self._rows(record, values, source, 1), len(values)
        answer = pa.array([format_answer(values, JSON).decode()])
        return self._written(json, record, answer, source, 1), len(values)


def _kind(media_type: str) -> str:
    """``text/csv`` or ``application/json``, as an endpoint knows them; raises :class:`MediaTypeError` for another."""
    if media_type == JSON_LINES:
        return JSON
    try:
        return body_type(media_type)
    except MediaTypeError as error:
        hint = "use text/csv, application/json or application/jsonlines"
        raise MediaTypeError("this content type is not transformed here", evidence=error.evidence, hint=hint) from None


def _blocks(lines: Array) -> Iterator[tuple[int, Array]]:
    """Blocks of lines with the number of the first."""
    return ((start + 1, lines.slice(start, _BLOCK)) for start in range(0, len(lines), _BLOCK))


def _assembled(blocks: list[tuple[Array, int]], *, ended: bool) -> Transformed:
    content = b"\n".join([joined_lines(texts).to_pybytes() for texts, _ in blocks])
    return Transformed(content + b"\n" * ended, sum(count for _, count in blocks))
