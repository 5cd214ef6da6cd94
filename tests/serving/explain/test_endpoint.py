"""A model behind a URL: what is sent, what answers are read, and every way a server can fail."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from driftline.core.errors import InputError, ServiceError
from driftline.serving.explain import endpoint
from driftline.serving.explain.endpoint import http_predict, read_scores
from driftline.serving.explain.explainer import remote_explainer

Reply = Callable[[np.ndarray], tuple[int, bytes]]
ROWS = np.array([[1.0, np.nan, 1e308], [0.1, -np.inf, 1e-300], [2**53, 0.30000000000000004, -7]])


@contextmanager
def server(reply: Reply) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on a port of its own, and the requests it got."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            cells = [[float(cell or "nan") for cell in line] for line in csv.reader(io.StringIO(body.decode()))]
            seen.append({"body": body, "headers": dict(self.headers), "rows": np.array(cells)})
            status, answer = reply(seen[-1]["rows"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{found.server_port}/endpoints/churn/invocations", seen
    finally:
        found.shutdown()
        thread.join()
        found.server_close()


def lines(scores: np.ndarray) -> bytes:
    return "\n".join(map(repr, scores.tolist())).encode()


def test_rows_arrive_with_every_digit_and_in_batches() -> None:
    with server(lambda rows: (200, lines(rows[:, 0]))) as (url, seen):
        scores = http_predict(url, batch_rows=2, headers={"Authorization": "Bearer x"})(ROWS)
    np.testing.assert_array_equal(scores, ROWS[:, :1])
    arrived = np.concatenate([one["rows"] for one in seen])
    largest = float(np.finfo(np.float32).max)
    np.testing.assert_array_equal(arrived, np.clip(ROWS, -largest, largest))
    assert [len(one["rows"]) for one in seen] == [2, 1]
    assert seen[0]["headers"]["Authorization"] == "Bearer x"
    assert seen[0]["headers"]["Content-Type"] == "text/csv"
    assert b"nan" not in seen[0]["body"]


def test_a_request_has_a_limit_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_REQUEST", 3 * 26 * 10)
    with server(lambda rows: (200, lines(rows[:, 0]))) as (url, seen):
        http_predict(url)(np.full((25, 3), -1.2345678901234567e-300))
    assert [len(one["rows"]) for one in seen] == [10, 10, 5]
    assert max(len(one["body"]) for one in seen) <= 3 * 26 * 10


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"0.5\n0.25\n", [[0.5], [0.25]]),
        (b"0.5,0.25", [[0.5], [0.25]]),
        (b"0.1, 0.9\r\n0.3, 0.7\r\n", [[0.1, 0.9], [0.3, 0.7]]),
        (b"[0.5, 0.25]", [[0.5], [0.25]]),
        (b"[[0.1, 0.9], [0.3, 0.7]]", [[0.1, 0.9], [0.3, 0.7]]),
        (b'{"predictions": [{"score": 0.5}, {"score": 0.25}]}', [[0.5], [0.25]]),
        (b'{"predictions": [{"scores": [1, 2]}, {"scores": [3, 4]}]}', [[1, 2], [3, 4]]),
    ],
)
def test_answers_that_are_read(answer: bytes, expected: Any) -> None:
    assert read_scores(answer, 2).tolist() == expected


def test_answers_to_one_row() -> None:
    assert read_scores(b"0.5", 1).tolist() == [[0.5]]
    assert read_scores(b"[0.2, 0.8]", 1).tolist() == [[0.2, 0.8]]
    assert read_scores(b"[[0.2, 0.8]]", 1).tolist() == [[0.2, 0.8]]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"0.5",
        b"1\n2\n3",
        b"yes\nno",
        b'{"predictions": 3}',
        b"[[1], [2, 3]]",
        b"[",
        b"\xff\xfe",
        b"[[], []]",
    ],
)
def test_other_answers_are_said(answer: bytes) -> None:
    with server(lambda _: (200, answer)) as (url, _):
        predict = http_predict(url, pause=lambda _: None)
        with pytest.raises(ServiceError, match="something else than scores") as caught:
            predict(ROWS[:2])
    assert url in str(caught.value)


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not() -> None:
    answers, pauses = [(503, b"busy"), (429, b""), (200, b"1")], list[float]()
    with server(lambda _: answers.pop(0)) as (url, seen):
        assert http_predict(url, pause=pauses.append)(ROWS[:1]).tolist() == [[1.0]]
    assert (len(seen), pauses) == (3, [0.5, 1.0])
    refused = pytest.raises(ServiceError, match="gives no scores")
    with server(lambda _: (400, b"no such column")) as (url, seen), refused as caught:
        http_predict(url, pause=pauses.append)(ROWS[:1])
    assert len(seen) == 1
    assert "no such column" in caught.value.evidence
    with pytest.raises(ServiceError, match="gives no scores"):
        http_predict(url, pause=lambda _: None)(ROWS[:1])  # nobody listens there any more


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_ANSWER", 1000)
    with server(lambda _: (200, b"1," * 5000)) as (url, _), pytest.raises(ServiceError, match="larger than"):
        http_predict(url)(ROWS)


@pytest.mark.parametrize("url", ["churn", "ftp://host/x", "http://169.254.169.254/latest", "http://user:pw@host/"])
def test_some_urls_are_never_asked(url: str) -> None:
    with pytest.raises(InputError):
        http_predict(url)


def test_a_remote_model_is_explained() -> None:
    with server(lambda rows: (200, lines(rows[:, 0] * 2 - rows[:, 1]))) as (url, _):
        found = remote_explainer(http_predict(url), features=["a", "b", "c"], baseline=np.zeros((1, 3)))
        values, scores = found.explain(np.array([[1.0, 2.0, 3.0]]))
        assert http_predict(url)(np.zeros((0, 3))).shape == (0, 1)
    np.testing.assert_allclose(values[0, :, 0], [2, -2, 0], atol=1e-12)
    assert (found.features, found.named, scores.tolist()) == (("a", "b", "c"), True, [[0.0]])
    for wrong in ({"batch_rows": 0}, {"timeout": 0}):
        with pytest.raises(InputError, match="needs rows and time"):
            http_predict(url, **wrong)  # type: ignore[arg-type]
