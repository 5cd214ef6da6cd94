"""Records that could not be used: why, how many, and up to three of each with file, line and text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

SAMPLES = 3
_TAIL = 1 << 20
MEANING = {
    "broken_line": "a line is not a JSON object of the expected shape",
    "half_line": "the last line of a file ends in its middle, as after a crash or during a copy",
    "no_event_id": "a record has no eventMetadata.eventId",
    "no_time": "a record has no readable eventMetadata.inferenceTime, so its window is not known",
    "no_output": "a record has no captured output; capture both input and output",
    "unknown_encoding": "an encoding is none of CSV, JSON, BASE64",
    "no_value": "the output has no value where the probability or inference attribute points (too few columns?)",
    "not_a_number": "the probability is not a number",
    "not_a_distribution": "the probabilities are not one number from 0 to 1 a class that add up to 1 (within 0.001)",
    "no_label": "a label is empty",
    "bad_weight": "a weight is no number, negative or infinite",
    "not_a_class": "a label or prediction is no class (a binary problem has 0 and 1), or no number in a regression",
    "row_count": "two sides have different numbers of rows: a label and its request, or an input and its output",
    "no_payload": "a record has neither an input nor an output",
    "not_text": "a BASE64 body is no BASE64, or holds no UTF-8 text",
    "libsvm": "a body is in libsvm format, which names no columns; capture CSV or JSON",
    "no_rows": "a body is empty or holds no rows",
    "broken_quotes": "a quote in a CSV body is not closed, or text stands behind a closing one",
    "not_csv": "a CSV body cannot be read",
    "not_json": "a JSON body is neither a JSON document nor one a line",
    "ragged": "the rows of a body differ in their columns",
    "not_features": "the inputs are not the features of the model: one is missing, or there are more or fewer",
    "not_numbers": "a feature of the model holds a text that is no number",
    "too_wide": "a row has more than 10,000 columns",
    "too_deep": "a JSON body is nested more than 64 levels deep",
}


class Reject(msgspec.Struct, frozen=True):
    """How many records of one source were refused for one reason, with samples ``file:line: text``."""

    source: str
    reason: str
    count: int
    samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = "".join(f"\n    {sample}" for sample in self.samples)
        return f"{self.count} in {self.source}: {MEANING.get(self.reason, self.reason)}{shown}"


def sample_line(file: str, record: int) -> str:
    """The ``record``-th non-blank line (from 1) of a file as ``file:line: text``, shortened."""
    seen = 0
    with Path(file).open("rb") as lines:
        for number, line in enumerate(lines, 1):
            seen += bool(line.strip())
            if seen == record:
                return shown(file, number, line)
    return f"{file}: record {record}"


def shown(file: str, number: int, line: bytes) -> str:
    """A line of a file as a sample.

    >>> shown("a.jsonl", 3, b"{}")
    'a.jsonl:3: {}'
    """
    return f"{file}:{number}: {line[:160].decode('utf-8', 'replace').strip()}"


def ends_in_half_line(file: str) -> bool:
    """Whether a file's last line has no newline and is not a whole JSON document either."""
    path = Path(file)
    with path.open("rb") as content:
        content.seek(max(0, path.stat().st_size - _TAIL))
        last = content.read().rpartition(b"\n")[2]
    try:
        return bool(last.strip()) and not isinstance(msgspec.json.decode(last), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True


def summed(rejects: Iterable[Reject]) -> tuple[Reject, ...]:
    """The same reason of one source, met in several places, as one."""
    found: dict[tuple[str, str], Reject] = {}
    for reject in rejects:
        before = found.get((reject.source, reject.reason))
        samples = reject.samples if before is None else (*before.samples, *reject.samples)[:SAMPLES]
        count = reject.count + (0 if before is None else before.count)
        found[reject.source, reject.reason] = Reject(reject.source, reject.reason, count, samples)
    return tuple(found.values())
