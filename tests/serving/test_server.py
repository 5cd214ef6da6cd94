"""Real servers: published numbers over HTTP, killed processes, limited and full disks."""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftline.core import records


def whole_lines(root: Path) -> list[records.CaptureRecord]:
    """What a reader gets: every line up to the last newline of each file, each a record."""
    found = []
    for file in sorted(root.rglob("*.jsonl")):
        data = file.read_bytes()
        found += [records.decode_capture(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    return found


@pytest.mark.parametrize("name", ["xgb-churn-prediction-model.json", "xgb-churn-prediction-model.tar.gz"])
def test_the_published_probabilities_over_http(
    name: str, churn: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    server = serve(tmp_path, churn / name)
    lines = [line.partition(",")[2] for line in (churn / "validation.csv").read_text().splitlines()[:201]]
    with (churn / "validation_with_predictions.csv").open() as file:
        expected = [float(row["probability"]) for row in csv.DictReader(file)]
    with httpx.Client() as client:
        single = [
            float(client.post(server.url, content=line, headers={"Content-Type": "text/csv"}).content) for line in lines
        ]
    together = [float(line) for line in server.post("\n".join(lines)).text.splitlines()]
    body = '{"instances":[' + ",".join(f"[{line}]" for line in lines) + "]}"
    document = server.post(body, **{"Content-Type": "application/json"}).json()
    for answers in (single, together, [prediction["score"] for prediction in document["predictions"]]):
        assert answers == pytest.approx(expected, rel=0, abs=1e-6)
    assert single == together
    assert len(whole_lines(tmp_path)) == 203


def test_many_connections_each_get_their_own_answer(
    model_file: Path, booster: Any, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    server = serve(tmp_path, model_file)
    expected = {}
    with httpx.Client() as client:
        for number in range(40):
            body = f"{number / 20 - 1},{number},0"
            expected[body] = client.post(server.url, content=body, headers={"Content-Type": "text/csv"}).text

    def ask(seed: int) -> list[bool]:
        order = random.Random(seed).sample(sorted(expected), 30)
        with httpx.Client(headers={"Content-Type": "text/csv"}) as client:
            return [client.post(server.url, content=body).text == expected[body] for body in order]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(right) for right in pool.map(ask, range(8)))
    events = [record.event_metadata.event_id for record in whole_lines(tmp_path)]
    assert len(events) == len(set(events)) == 40 + 8 * 30


class Hammer:
    """Clients that post without pause and remember which inference ids were answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acknowledged: list[str] = []
        self.enough = threading.Event()

    def run(self, url: str, target: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._post, args=(url, worker, target)) for worker in range(6)]
        for thread in threads:
            thread.start()
        return threads

    def _post(self, url: str, worker: int, target: int) -> None:
        number = 0
        with httpx.Client(timeout=10) as client:
            while True:
                identity = f"{self.name}-{worker}-{number}"
                headers = {"Content-Type": "text/csv", "X-Inference-Id": identity}
                try:
                    status = client.post(url, content="0.5,1,2\n-0.5,0,0", headers=headers).status_code
                except httpx.TransportError:
                    return
                assert status == 200
                self.acknowledged.append(identity)
                number += 1
                if len(self.acknowledged) >= target:
                    self.enough.set()


def test_a_killed_server_loses_nothing_it_acknowledged(
    model_file: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    seeded, acknowledged = random.Random(20), []
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(serve, tmp_path, model_file)
        for life in range(20):
            server = coming.result()
            hammer = Hammer(f"life{life}")
            threads = hammer.run(server.url, target=seeded.randrange(5, 80))
            assert hammer.enough.wait(30)
            if life < 19:
                coming = pool.submit(serve, tmp_path, model_file)
            server.stop()  # SIGKILL
            for thread in threads:
                thread.join()
            acknowledged += hammer.acknowledged
    captured = [record.join_key for record in whole_lines(tmp_path)]
    assert len(acknowledged) > 500
    assert set(acknowledged) <= set(captured)
    assert len(captured) == len(set(captured))
    assert len(captured) - len(acknowledged) <= 20 * 6  # answered requests that the kill cut off


def test_a_file_size_limit_drops_nothing_silently(model_file: Path, tmp_path: Path, serve: Callable[..., Any]) -> None:
    server = serve(tmp_path, model_file, ["prlimit", "--fsize=3000"])
    responses = [server.post("1,2,3") for _ in range(40)]
    assert {response.status_code for response in responses} == {200}
    kept = [value for response in responses if (value := response.headers.get("x-inference-event-id"))]
    assert sorted(record.event_metadata.event_id for record in whole_lines(tmp_path)) == sorted(kept)
    assert len(kept) > 30
    for file in tmp_path.rglob("*.jsonl"):
        assert file.read_bytes().endswith(b"\n")
        assert file.stat().st_size <= 3000


def test_a_full_disk_never_fails_a_request(model_file: Path, tmp_path: Path, serve: Callable[..., Any]) -> None:
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=16k tmpfs {disk}"
    probe = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, timeout=20)
    if probe.returncode != 0 or shutil.which("nsenter") is None:
        pytest.skip("mounting a small file system is not permitted here")
    server = serve(disk, model_file, ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"])

    def inside(command: str) -> None:
        enter = ["nsenter", "-t", str(server.process.pid), "-U", "-m", "--preserve-credentials", "sh", "-c", command]
        subprocess.run(enter, check=True, timeout=20)

    responses = [server.post("1,2,3" + "\n1,2,3" * (number % 7)) for number in range(120)]
    assert {response.status_code for response in responses} == {200}
    kept = [value for response in responses if (value := response.headers.get("x-inference-event-id"))]
    assert 10 < len(kept) < 120
    inside(f"cp -r {disk} {copy}")
    events = [record.event_metadata.event_id for record in whole_lines(copy)]
    assert sorted(events) == sorted(kept)
    assert all(file.read_bytes().endswith(b"\n") for file in copy.rglob("*.jsonl"))
    inside(f"mount -o remount,size=1m {disk}")
    assert "x-inference-event-id" in server.post("1,2,3").headers


def test_a_client_that_stops_in_the_middle_breaks_nobody(
    model_file: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    import socket

    server = serve(tmp_path, model_file)
    head = (
        b"POST /endpoints/churn/invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 99\r\n\r\n"
    )
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as half:
            half.sendall(head + b"1,2")
            assert server.post("1,2,3").status_code == 200
    assert server.post("1,2,3").status_code == 200
    assert len(whole_lines(tmp_path)) == 6
