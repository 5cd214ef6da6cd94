"""A proxy endpoint between a real client and a real model server, both on ports of their own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from driftline.core.records import CaptureRecord, decode_capture
from driftline.resources.endpoints import CaptureSettings, SensitiveColumn
from driftline.serving import proxy
from driftline.serving.capture_log import CaptureLog
from driftline.serving.endpoints import EndpointConfig, Registry
from driftline.serving.invocations import Invocations

ID = "X-Amzn-SageMaker-Inference-Id"


class Upstream:
    """A model server that remembers what it got; the path says how it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.go_on = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                size = self.headers.get("Content-Length")
                body = self.rfile.read(int(size)) if size else self._chunked()
                outer.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                getattr(self, "on_" + self.path.strip("/").partition("?")[0])(body)

            def _chunked(self) -> bytes:
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def on_predict(self, body: bytes) -> None:
                self.send_response(200, "Fine")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "9")
                self.send_header("Set-Cookie", "a=1")
                self.send_header("Set-Cookie", "b=2")
                self.send_header("Keep-Alive", "timeout=5")
                self.end_headers()
                self.wfile.write(b'{"p":0.5}')

            def on_refuse(self, body: bytes) -> None:
                self.send_response(422)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"no")

            def on_move(self, body: bytes) -> None:
                self.send_response(307)
                self.send_header("Location", "http://169.254.169.254/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def on_stream(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in (b"first", b"second"):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                    self.wfile.flush()
                    outer.go_on.wait(10)
                self.wfile.write(b"0\r\n\r\n")

            def on_break(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"half")
                self.close_connection = True

            def on_hang(self, body: bytes) -> None:
                outer.go_on.wait(10)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class House:
    """A server of ours in a thread, its endpoints and its captures."""

    def __init__(self, root: Path, url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
        places = {name: f"{url}/{name}" for name in ("predict", "refuse", "move", "stream", "break", "hang")}
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/endpoints"
        places |= {"down": nobody, "loop": f"{self.url}/loop/invocations", "name": "http://metadata.invalid/"}
        places["rebound"] = url.replace("127.0.0.1", "localhost") + "/predict"
        configs = [EndpointConfig(name, upstream=place) for name, place in places.items()] + [EndpointConfig("other")]
        hidden = CaptureSettings(
            sensitive=(SensitiveColumn("input", 0, "mask"), SensitiveColumn("output", "p", "drop"))
        )
        configs.append(EndpointConfig("hidden", upstream=places["predict"], capture=hidden))
        registry = Registry(lambda: configs)
        registry.refresh()
        self.root, self.log = root, CaptureLog(root, time.time)
        app = Invocations(registry, self.log, _life, max_body=1000)
        config = uvicorn.Config(app, http="httptools", loop="asyncio", ws="none", log_level="error", lifespan="on")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self.thread.start()
        self.http = httpx.Client(trust_env=False, timeout=20)

    def post(self, name: str, body: Any = b"[1]", query: str = "", **headers: str) -> httpx.Response:
        given = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        return self.http.post(f"{self.url}/{name}/invocations{query}", content=body, headers=given)

    def records(self, name: str) -> list[CaptureRecord]:
        files = sorted((self.root / name).rglob("*.jsonl"))
        return [decode_capture(line) for file in files for line in file.read_bytes().splitlines()]

    def counts(self) -> dict[str, tuple[int, int]]:
        return {count.endpoint: (count.captured, count.dropped) for count in self.log.drain_counters()}

    def stop(self) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join()
        self.log.close()


async def _life(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "lifespan"
    for what in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{what}.complete"})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.stop()


@pytest.fixture
def house(tmp_path: Path, upstream: Upstream) -> Iterator[House]:
    house = House(tmp_path, upstream.url)
    yield house
    house.stop()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Capture comes after the answer, so a test must be able to wait for it."""

    def wait(condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 20
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return found

    return wait


def test_the_answer_goes_through_as_it_is_and_is_captured(house: House, upstream: Upstream, until: Any) -> None:
    response = house.post(
        "predict", b"[1, 2]", "?v=1", Authorization="Bearer ours", Cookie="session=ours", X_Trace="t", **{ID: "o-7"}
    )
    assert (response.status_code, response.content) == (200, b'{"p":0.5}')
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers[ID] == "o-7"
    assert "keep-alive" not in response.headers
    [(path, headers, body)] = upstream.got
    assert (path, body, headers["x-trace"], headers[ID.lower()]) == ("/predict?v=1", b"[1, 2]", "t", "o-7")
    assert headers["host"] == upstream.url.removeprefix("http://")
    assert not {"authorization", "cookie"} & headers.keys()
    [record] = until(lambda: house.records("predict"))
    assert record.join_key == "o-7"
    assert record.capture_data.endpoint_output is not None
    assert record.capture_data.endpoint_output.data == '{"p":0.5}'


def test_sensitive_values_are_passed_on_and_not_recorded(house: House, upstream: Upstream, until: Any) -> None:
    assert house.post("hidden", b'["s3cret"]').content == b'{"p":0.5}'
    assert upstream.got[0][2] == b'["s3cret"]'
    [record] = until(lambda: house.records("hidden"))
    assert (record.capture_data.endpoint_input.data, record.capture_data.endpoint_output.data) == ('["***"]', "{}")


def test_bodies_may_come_in_chunks_and_be_larger_than_what_is_captured(
    house: House, upstream: Upstream, until: Any
) -> None:
    assert house.post("predict", iter([b"[1,", b"2]"])).status_code == 200
    assert house.post("predict", b"9" * 5_000_000).status_code == 200
    assert [len(body) for _, _, body in upstream.got] == [5, 5_000_000]
    [record] = until(lambda: house.records("predict"))
    assert record.capture_data.endpoint_input is not None
    assert record.capture_data.endpoint_input.data == "[1,2]"
    total = [0, 0]

    def counted() -> bool:
        for captured, dropped in house.counts().values():
            total[0] += captured
            total[1] += dropped
        return total == [1, 1]

    until(counted)


def test_the_first_chunk_arrives_before_the_last_is_sent(house: House, upstream: Upstream, until: Any) -> None:
    with house.http.stream("POST", f"{house.url}/stream/invocations", content=b"[1]") as response:
        chunks = response.iter_raw()
        assert next(chunks) == b"first"
        upstream.go_on.set()
        assert b"".join(chunks) == b"second"
    [record] = until(lambda: house.records("stream"))
    assert record.capture_data.endpoint_output is not None


def test_refusals_and_redirects_are_the_client_s_and_no_predictions(house: House) -> None:
    assert (house.post("refuse").status_code, house.post("refuse").content) == (422, b"no")
    moved = house.post("move")
    assert (moved.status_code, moved.headers["location"]) == (307, "http://169.254.169.254/")
    assert house.counts() == {}


def test_a_server_that_is_down_or_unknown_is_a_502_that_says_so(house: House) -> None:
    for name in ("down", "name"):
        response = house.post(name)
        assert (response.status_code, response.json()["code"]) == (502, "upstream_failed")
        assert "cannot be reached" in response.json()["message"]


def test_an_answer_that_breaks_off_breaks_off_for_the_client_too(house: House, until: Any) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        house.post("break")
    assert until(house.counts) == {"break": (0, 1)}


def test_a_server_that_says_nothing_is_a_502(house: House, upstream: Upstream) -> None:
    upstream.go_on.set()
    assert house.post("hang").status_code == 502


def test_a_server_that_is_too_slow_is_a_504(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "_TIMEOUT", httpx.Timeout(0.05, connect=5))
    house = House(tmp_path / "slow", upstream.url)
    with contextlib.closing(house.http):
        assert (house.post("hang").status_code, house.post("predict").status_code) == (504, 200)
    house.stop()


def test_an_endpoint_that_forwards_to_itself_says_so(house: House) -> None:
    response = house.post("loop")
    assert (response.status_code, response.json()["message"]) == (400, "endpoint loop forwards to itself")


def test_a_name_that_leads_to_a_refused_address_is_refused_before_anything_is_sent(
    house: House, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = proxy.check_host

    def check(host: str) -> None:
        refused("169.254.169.254" if host in ("127.0.0.1", "::1") else host)

    monkeypatch.setattr(proxy, "check_host", check)
    response = house.post("rebound")
    assert (response.status_code, response.json()["evidence"]) == (400, "169.254.169.254")
    assert upstream.got == []


def test_an_external_endpoint_answers_nothing(house: House) -> None:
    assert (house.post("other").status_code, house.post("other").json()["code"]) == (409, "conflict")
    assert house.http.get(f"{house.url}/predict/invocations").status_code == 405


def test_a_disk_that_is_full_changes_no_answer(tmp_path: Path, upstream: Upstream, until: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    house = House(tmp_path / "file", upstream.url)
    assert house.post("predict").content == b'{"p":0.5}'
    assert until(house.counts) == {"predict": (0, 1)}
    house.stop()
