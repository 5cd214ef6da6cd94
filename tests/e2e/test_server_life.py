"""A server at work: changes reach every process, and whoever dies is replaced without loss."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from driftline import CaptureHour, Execution

ROW = b"1.0,0.5,-0.25"
CAPTURED = "x-inference-event-id"
Wait = Callable[..., Any]


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any]) -> Any:
    return serve(workers=2).ready()


class Answer(NamedTuple):
    """What came back on one request."""

    status_code: int
    headers: dict[str, str]
    text: str


def ask(url: str, name: str) -> Answer:
    """One request on a connection of its own, so that any of the processes may answer it."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request("POST", f"/endpoints/{name}/invocations", ROW, {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read().decode())
    finally:
        connection.close()


def segments(server: Any, name: str) -> list[Path]:
    return sorted((server.data / "captures" / name).rglob("*.jsonl"))


def events(server: Any, name: str) -> list[dict[str, Any]]:
    lines = [line for path in segments(server, name) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def ask_all_processes(server: Any, name: str, wait: Wait, least: int = 2) -> None:
    """Asks until every process has captured, which shows in a segment file each."""
    with ThreadPoolExecutor(16) as pool:
        wait(
            lambda: list(pool.map(lambda _: ask(server.url, name), range(32))) and len(segments(server, name)) >= least,
            "every process has answered",
        )


@contextmanager
def traffic(url: str, name: str, threads: int = 2) -> Iterator[list[httpx.Response | Exception]]:
    """Requests on ``threads`` connections that stay open, one after the other; what came of each."""
    seen: list[httpx.Response | Exception] = []
    stop = threading.Event()

    def go(number: int) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            count = 0
            while not stop.is_set():
                count += 1
                headers = {"Content-Type": "text/csv", "X-Inference-Id": f"{name}-{number}-{count}"}
                try:
                    seen.append(client.post(f"{url}/endpoints/{name}/invocations", content=ROW, headers=headers))
                except httpx.TransportError as error:
                    seen.append(error)

    workers = [threading.Thread(target=go, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield seen
    finally:
        stop.set()
        for worker in workers:
            worker.join()


@pytest.mark.parametrize(
    ("change", "sides"),
    [
        ({"percent": 0}, set()),
        ({"input": False}, {"endpointOutput"}),
        ({"output": False}, {"endpointInput"}),
    ],
    ids=["percent", "input", "output"],
)
def test_capture_settings_reach_every_process_within_a_second(
    server: Any, models: tuple[Path, Path], wait: Wait, change: dict[str, Any], sides: set[str]
) -> None:
    name = "live-" + next(iter(change))
    with server.client() as client, ThreadPoolExecutor(16) as pool:
        client.deploy(name, models[0])
        ask_all_processes(server, name, wait)
        client.configure_capture(name, **change)
        time.sleep(1.0)  # the promise itself: a second later nobody works by the old settings
        before = len(events(server, name))
        answers = list(pool.map(lambda _: ask(server.url, name), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    new = events(server, name)
    if not sides:
        assert len(new) == before
        assert not any(CAPTURED in answer.headers for answer in answers)
    else:
        known = {answer.headers[CAPTURED] for answer in answers}
        captured = {event["eventMetadata"]["eventId"]: set(event["captureData"]) for event in new}
        assert {frozenset(captured[key]) for key in known} == {frozenset(sides)}


def test_counters_arrive(server: Any, models: tuple[Path, Path], wait: Wait) -> None:
    with server.client() as client:
        client.deploy("counted", models[0], capture_percent=50)
        for number in range(60):
            client.invoke("counted", ROW, inference_id=f"c-{number}")

        def all_counted() -> list[CaptureHour]:
            hours = client.capture_counts("counted")
            return hours if sum(hour.captured + hour.sampled_out for hour in hours) == 60 else []

        [hour] = wait(all_counted, "60 requests are counted")
    assert hour.hour == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert hour.captured == len(events(server, "counted"))
    assert 10 < hour.captured < 50
    assert hour.dropped == 0


def test_endpoints_come_change_and_go_while_another_serves(server: Any, models: tuple[Path, Path], wait: Wait) -> None:
    first, second = models
    with server.client() as client:
        client.deploy("steady", first)
        with traffic(server.url, "steady") as seen:
            client.deploy("guest", first)
            before = float(client.invoke("guest", ROW))
            client.deploy("guest", second)
            wait(lambda: abs(float(client.invoke("guest", ROW)) - before) > 0.1, "the other model answers")
            client.delete_endpoint("guest")
            wait(lambda: {ask(server.url, "guest").status_code for _ in range(8)} == {404}, "the endpoint is gone")
            names = {row.name for row in client.list_endpoints()}
    assert "guest" not in names
    assert "steady" in names
    assert len(seen) > 20
    assert all(isinstance(answer, httpx.Response) and answer.status_code == 200 for answer in seen)
    assert len({answer.text for answer in seen if isinstance(answer, httpx.Response)}) == 1


def test_a_model_is_replaced_without_a_failed_request(server: Any, models: tuple[Path, Path], wait: Wait) -> None:
    first, second = models
    with server.client() as client:
        client.deploy("renewed", first)
        with traffic(server.url, "renewed") as seen:
            wait(lambda: seen, "the first model answers")
            client.deploy("renewed", second)
            wait(lambda: len({answer.text for answer in list(seen[-8:])} | {seen[0].text}) == 2, "the second does")
    assert all(isinstance(answer, httpx.Response) and answer.status_code == 200 for answer in seen)
    assert len({answer.text for answer in seen if isinstance(answer, httpx.Response)}) == 2


def test_redeploying_keeps_the_capture_settings(server: Any, models: tuple[Path, Path]) -> None:
    with server.client() as client:
        created = client.deploy("settled", models[0], capture_input=False).capture
        again = client.deploy("settled", models[1], capture_percent=20).capture
        last = client.deploy("settled", models[0]).capture
    assert (created.percent, created.input, created.output) == (100, False, True)
    assert (again.percent, again.input, again.output) == (20, False, True)
    assert last == again


def test_an_unknown_endpoint_is_404(server: Any) -> None:
    answer = ask(server.url, "nobody")
    assert answer.status_code == 404
    error = json.loads(answer.text)
    assert error["code"] == "not_found"
    assert "'nobody'" in error["message"]


def test_a_killed_web_process_is_replaced_and_loses_nothing_it_acknowledged(
    server: Any, models: tuple[Path, Path], wait: Wait
) -> None:
    def web() -> set[int]:
        return {pid for pid, kind in server.children().items() if kind == "web"}

    with server.client() as client:
        client.deploy("hardy", models[0])
    ask_all_processes(server, "hardy", wait)
    before = web()
    victim = min(before)
    with traffic(server.url, "hardy", threads=6) as seen:
        wait(lambda: len(seen) > 50, "traffic flows")
        os.kill(victim, signal.SIGKILL)
        wait(lambda: len(web()) == 2 and web() != before, "another process takes its place")
        count = len(seen)
        wait(lambda: len(seen) > count + 50, "traffic flows again")
    good = [answer for answer in seen if isinstance(answer, httpx.Response)]
    assert {answer.status_code for answer in good} == {200}
    assert len(seen) - len(good) <= 6
    captured = {event["eventMetadata"]["eventId"] for event in whole_events(server, "hardy")}
    assert {answer.headers[CAPTURED] for answer in good} <= captured
    ask_all_processes(server, "hardy", wait, least=3)


def whole_events(server: Any, name: str) -> list[dict[str, Any]]:
    """As readers do it: what stands after a file's last line end is no record."""
    texts = [path.read_text().rpartition("\n")[0] for path in segments(server, name)]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_a_killed_scheduler_is_replaced_and_no_window_is_skipped_or_doubled(
    serve: Callable[..., Any], models: tuple[Path, Path], wait: Wait
) -> None:
    server = serve(workers=1).ready()
    start = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)

    def scheduler() -> int | None:
        return next((pid for pid, kind in server.children().items() if kind == "jobs"), None)

    with server.client() as client:

        def finished(count: int) -> list[Execution]:
            runs = client.list_runs(schedule="minutely")
            return runs if sum(run.finished is not None for run in runs) >= count else []

        client.deploy("churn", models[0])
        client.create_schedule(
            "minutely", endpoint="churn", cron="* * * * *", attributes={"probability_attribute": "0"}
        )
        server.at(start + timedelta(minutes=3, seconds=1))
        wait(lambda: finished(3), "three runs")
        victim = scheduler()
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        server.at(start + timedelta(minutes=6, seconds=1))
        wait(lambda: scheduler() not in (None, victim), "another scheduler takes its place")
        runs = wait(lambda: finished(6), "six runs")
    ticks = sorted(run.tick for run in runs)
    assert ticks == [start + timedelta(minutes=minute) for minute in range(1, 7)]
    assert {run.revision for run in runs} == {1}


def test_a_second_server_on_the_same_port_is_told_so(server: Any, command: Callable[..., Any], tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    done = command("serve", "--data", tmp_path / "other", "--port", port)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"port {port} on 127.0.0.1 is in use" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
