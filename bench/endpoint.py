"""Requests a second and CPU a request of one-row predictions over 16 connections, for every server alike."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import measure

CONNECTIONS = 16
_READY = 90.0
_SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "{kind}"
wrk.body = [==[{body}]==]
"""


class Target(NamedTuple):
    """One thing that is called: where, with what, and the process whose tree answers."""

    name: str
    url: str
    kind: str
    body: str
    pid: int


class Load(NamedTuple):
    """What one round of load found."""

    requests: int
    seconds: float
    cpu: float
    failed: int
    memory: int


class Server:
    """A server in its own process, ended with all below it."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path, folder: Path) -> None:
        self._log: IO[bytes] = log.open("wb")
        self.process = subprocess.Popen(
            command, env=dict(env), stdout=self._log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
        )

    def close(self) -> None:
        """End the server: asked first, then made to."""
        family = measure.descendants(self.process.pid)
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        measure.end(family if self.process.returncode is None else family[1:])
        self.process.wait()
        self._log.close()


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_answering(target: Target, process: subprocess.Popen[bytes]) -> bytes:
    """The first answer of a server; raises :class:`RuntimeError` when it ends or stays silent."""
    deadline, reason = time.monotonic() + _READY, "it did not answer"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with exit code {process.returncode}")
        try:
            return post(target)
        except urllib.error.HTTPError as error:
            reason = f"it answered {error.code}: {error.read()[:200].decode('utf-8', 'replace')}"
        except OSError as error:
            reason = str(error)
        time.sleep(0.2)
    raise RuntimeError(reason)


def wait_until_listening(target: Target, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers at all, whatever it says; raises :class:`RuntimeError` as above."""
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline and process.poll() is None:
        try:
            post(target)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("it does not listen")


def number_in(answer: bytes) -> float | None:
    """The first number of an answer: the probability, whatever it is wrapped in."""
    found = re.search(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", answer)
    return float(found[0]) if found else None


def post(target: Target) -> bytes:
    """One request."""
    request = urllib.request.Request(  # noqa: S310 -- the address is ours, on the loopback interface
        target.url, target.body.encode(), {"Content-Type": target.kind}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return bytes(answer.read())


def load(target: Target, seconds: float, work: Path) -> Load:
    """Call a target for some seconds; the CPU of its tree is read before and after."""
    before = measure.cpu_seconds(target.pid)
    start = time.perf_counter()
    requests, failed = _wrk(target, seconds, work) if shutil.which("wrk") else _own(target, seconds)
    took = time.perf_counter() - start
    cpu = measure.cpu_seconds(target.pid) - before
    return Load(requests, took, cpu, failed, measure.resident(target.pid))


def _wrk(target: Target, seconds: float, work: Path) -> tuple[int, int]:
    script = work / f"{target.name.replace(' ', '-').replace('%', '')}.lua"
    script.write_text(_SCRIPT.format(kind=target.kind, body=target.body))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script), target.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    return parse_wrk(done.stdout)


def parse_wrk(text: str) -> tuple[int, int]:
    """Requests answered, and those that failed, of what wrk printed."""
    answered = re.search(r"(\d+) requests in", text)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = (int(wrong[1]) if wrong else 0) + (sum(map(int, broken.groups())) if broken else 0)
    return (int(answered[1]) if answered else 0), failed


def _own(target: Target, seconds: float) -> tuple[int, int]:
    """Where wrk is absent: this file as a program, so that the load has a process of its own."""
    command = [sys.executable, __file__, json.dumps(target), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    answered, failed = map(int, done.stdout.split())
    return answered, failed


async def _connection(target: Target, until: float, counts: list[int]) -> None:
    host, _, path = target.url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    body = target.body.encode()
    head = (
        f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {target.kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    reader, writer = await asyncio.open_connection(name, int(port))
    while time.monotonic() < until:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", answer)
        if length is None:
            raise ValueError("an answer without a content length")
        await reader.readexactly(int(length[1]))
        counts[0 if b" 200 " in answer[:16] else 1] += 1
    writer.close()


async def _generate(target: Target, seconds: float) -> list[int]:
    counts, until = [0, 0], time.monotonic() + seconds
    await asyncio.gather(*(_connection(target, until, counts) for _ in range(CONNECTIONS)))
    return [sum(counts), counts[1]]


if __name__ == "__main__":
    found = asyncio.run(_generate(Target(*json.loads(sys.argv[1])), float(sys.argv[2])))
    sys.stdout.write(f"{found[0]} {found[1]}")
