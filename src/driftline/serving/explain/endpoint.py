"""A model behind an invocation URL: rows go there as CSV, scores come back."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from driftline.core.errors import InputError, ServiceError
from driftline.serving.explain.local import Array
from driftline.serving.upstream import check_upstream

MAX_REQUEST = 4 << 20
MAX_ANSWER = 64 << 20
_LARGEST = float(np.finfo(np.float32).max)
_CELL = 26  # bytes of the longest number with its comma
_PASSING = (429, 502, 503, 504)
_TRIES, _PAUSE = 4, 0.5
_HINT = "the server must take CSV rows and answer one score, or one a class, for each"


def http_predict(
    url: str,
    *,
    timeout: float = 60.0,
    batch_rows: int = 2000,
    headers: Mapping[str, str] | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Callable[[Array], Array]:
    """Predictions of the model at ``url``, as a function of [rows, features] that gives [rows, outputs].

    Rows are posted as ``text/csv`` without a header, at most ``batch_rows`` and 4 MB in a request; a missing value is
    an empty cell, what a 32-bit float cannot hold its largest number. The answer may be CSV (a line a row, or all
    scores in one line), a JSON array, or JSON as driftline and SageMaker's containers give it
    (``{"predictions": [{"score": …}]}``). ``timeout`` is in seconds, for one request; a server that is busy or does
    not answer is asked four times in all, with ``pause`` called between. ``headers`` are sent with each request. An
    endpoint of driftline captures what it answers: ask one that has capture off, or the questions will be monitored
    as traffic.

    Raises :class:`InputError` for a URL that must not be asked, the function :class:`ServiceError` when the server
    cannot be reached, refuses the rows, or answers another number of scores than rows.
    """
    check_upstream(url)
    if batch_rows < 1 or timeout <= 0:
        evidence = f"{batch_rows} rows, {timeout} s"
        raise InputError("a request needs rows and time", evidence=evidence, hint="give numbers above 0")
    return _Endpoint(url, timeout, batch_rows, dict(headers or {}), pause)


@dataclass(frozen=True)
class _Endpoint:
    url: str
    timeout: float
    batch_rows: int
    headers: dict[str, str]
    pause: Callable[[float], object]

    def __call__(self, rows: Array) -> Array:
        """The scores of a block of rows."""
        rows = np.asarray(rows, dtype=np.float64)
        step = max(1, min(self.batch_rows, MAX_REQUEST // (_CELL * max(1, rows.shape[1]))))
        with httpx.Client(timeout=self.timeout, follow_redirects=False, trust_env=False) as client:
            parts = [self._asked(client, rows[start : start + step]) for start in range(0, len(rows), step)]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise self._unexpected(f"answers of {sorted(widths)} scores a row")
        return np.concatenate(parts) if parts else np.zeros((0, 1))

    def _asked(self, client: httpx.Client, rows: Array) -> Array:
        answer = self._post(client, _as_csv(rows))
        try:
            found = read_scores(answer, len(rows))
        except ValueError as error:
            raise self._unexpected(f"{error}; the answer begins with {answer[:80]!r}") from None
        return found

    def _post(self, client: httpx.Client, body: bytes) -> bytes:
        """The answer to one request, tried again where the server may be better in a moment."""
        headers = {**self.headers, "Content-Type": "text/csv", "Accept": "text/csv"}
        seen = ""
        for attempt in range(_TRIES):
            if attempt:
                self.pause(_PAUSE * 2 ** (attempt - 1))
            try:
                with client.stream("POST", self.url, content=body, headers=headers) as response:
                    answer = _limited(response.iter_bytes())
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                seen = f"{type(error).__name__}: {error}"[:200]
                continue
            if response.is_success:
                return answer
            seen = f"HTTP {response.status_code}: {answer[:200]!r}"
            if response.status_code not in _PASSING:
                break
        what, hint = "the model's endpoint gives no scores", "check the URL, its log, and that it takes such rows"
        raise ServiceError(what, evidence=f"{self.url}: {seen}", hint=hint)

    def _unexpected(self, evidence: str) -> ServiceError:
        what = "the model's endpoint answers something else than scores"
        return ServiceError(what, evidence=f"{self.url}: {evidence}", hint=_HINT)


def _limited(chunks: Iterator[bytes]) -> bytes:
    found, size = list[bytes](), 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_ANSWER:
            raise ServiceError(f"the endpoint's answer is larger than {MAX_ANSWER:,} bytes", hint=_HINT)
        found.append(chunk)
    return b"".join(found)


def _as_csv(rows: Array) -> bytes:
    """The rows with every digit; a missing value is an empty cell."""
    inside = np.clip(rows, -_LARGEST, _LARGEST)
    columns = [pa.array(column, from_pandas=True) for column in inside.T]
    out = io.BytesIO()
    table = pa.table(columns, names=[str(place) for place in range(len(columns))])
    csv.write_csv(table, out, csv.WriteOptions(include_header=False))
    return out.getvalue()


def read_scores(answer: bytes, rows: int) -> npt.NDArray[np.float64]:
    """The scores in an answer, [rows, outputs]; raises :class:`ValueError` where it has others than one line a row.

    >>> read_scores(b"0.5\\n0.25\\n", 2).tolist(), read_scores(b"0.5,0.25", 2).tolist()
    ([[0.5], [0.25]], [[0.5], [0.25]])
    >>> read_scores(b"0.5,0.25", 1).tolist(), read_scores(b'{"predictions": [{"score": 1}]}', 1).tolist()
    ([[0.5, 0.25]], [[1.0]])
    """
    text = answer.decode("utf-8").strip()
    lines: list[Any] = _json_scores(text) if text[:1] in ("[", "{") else [line.split(",") for line in text.splitlines()]
    cells = [line if isinstance(line, list) else [line] for line in lines]
    if len(cells) == 1 and rows > 1:
        cells = [[cell] for cell in cells[0]]  # all scores in one line
    elif len(cells) > 1 and rows == 1 and not isinstance(lines[0], list):
        cells = [lines]  # the scores of one row, without brackets of their own
    if len(cells) != rows:
        raise ValueError(f"{len(cells)} scores for {rows} rows")
    found = np.array(cells, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] < 1:
        raise ValueError(f"scores of shape {found.shape}")
    return found


def _json_scores(text: str) -> list[Any]:
    document = json.loads(text)
    found = document.get("predictions") if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise ValueError("no list of scores")
    return [_json_score(one) for one in found]


def _json_score(one: Any) -> Any:
    """A score, or a list of them; of an object the one that driftline and SageMaker's containers put there."""
    if not isinstance(one, dict):
        return one
    return next((one[key] for key in ("score", "scores", "probabilities", "probability") if key in one), None)
