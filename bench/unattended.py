"""How long from a tick to its notification, what an idle server holds, and what schedules cost."""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import data

from driftline.alerting.alarms import Alarm
from driftline.core.window import HOUR, parse_time
from driftline.service import Service
from driftline.storage.clock import SharedClock

HOUR_OF_DATA = parse_time("2026-11-22T10:00:00Z")
CONSTRAINTS = b"""{"version": 0.0, "binary_classification_constraints":
    {"f2": {"threshold": 0.99, "comparison_operator": "LessThanThreshold"}}}"""
PATIENCE = 60.0


class Receiver:
    """A webhook on a free port that notes when it is called."""

    def __init__(self) -> None:
        self.called = threading.Event()
        noted = self.called

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(200)
                self.end_headers()
                noted.set()

            def log_message(self, *_: object) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def notification(work: Path, rows: int) -> float:
    """Seconds from the tick of an hour with ``rows`` labelled captures to the webhook's call."""
    captures, labels = data.captures(work, rows)
    with tempfile.TemporaryDirectory() as name:
        folder, receiver = Path(name), Receiver()
        clock = SharedClock(folder / "clock")
        clock.set((HOUR_OF_DATA + HOUR - timedelta(seconds=5)).timestamp())
        with Service(folder, clock=clock) as service:
            service.register_endpoint("world")
            (folder / "captures" / "world" / "AllTraffic").parent.mkdir(parents=True, exist_ok=True)
            (folder / "captures" / "world" / "AllTraffic").symlink_to(captures)
            (folder / "labels" / "world").symlink_to(labels)
            service.put_baseline("b", CONSTRAINTS)
            attributes = {"probability_attribute": "0"}
            service.create_schedule("s", endpoint="world", cron="0 * * * *", baseline="b", attributes=attributes)
            dimensions = {"Endpoint": "world", "MonitoringSchedule": "s"}
            space = "aws/sagemaker/Endpoints/model-metrics"
            service.put_alarm(
                Alarm("a", "f2", space, dimensions, "LessThanThreshold", 0.99, alarm_actions=(receiver.url,))
            )
        with scheduler(folder) as process:
            time.sleep(3)
            began = time.perf_counter()
            clock.set((HOUR_OF_DATA + HOUR).timestamp())
            told = receiver.called.wait(PATIENCE)
            taken = time.perf_counter() - began
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        return taken if told else float("nan")


def schedules(count: int, seconds: float) -> dict[str, float]:
    """CPU seconds a minute and memory of a scheduler that waits on so many hourly schedules."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Service(folder) as service:
            service.register_endpoint("world")
            for number in range(count):
                attributes = {"probability_attribute": "0"}
                service.create_schedule(f"s{number}", endpoint="world", cron="0 * * * *", attributes=attributes)
        with scheduler(folder, clock=False) as process:
            time.sleep(5)
            before = cpu(process.pid)
            time.sleep(seconds)
            used, held = cpu(process.pid) - before, memory(process.pid)
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        return {"CPU s a minute": round(used * 60 / seconds, 2), "MB": round(held / 1e6)}


def scheduler(folder: Path, *, clock: bool = True) -> subprocess.Popen[bytes]:
    """The scheduler as a process."""
    extra = ["--clock", str(folder / "clock")] if clock else []
    command = [sys.executable, "-m", "driftline.jobs", "--data", str(folder), *extra]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def server(seconds: float) -> dict[str, float]:
    """Memory (proportional share, so that shared pages count once) and CPU of an idle server, all its processes."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "driftline.cli", "serve", "--data", name, "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(6)
        tree = [process.pid, *children(process.pid)]
        before = sum(cpu(pid) for pid in tree)
        time.sleep(seconds)
        used, held = sum(cpu(pid) for pid in tree) - before, sum(memory(pid) for pid in tree)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        return {"processes": len(tree), "MB": round(held / 1e6), "CPU s a minute": round(used * 60 / seconds, 2)}


def children(parent: int) -> list[int]:
    """Every process below one."""
    direct = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return [pid for child in direct for pid in (child, *children(child))]


def cpu(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Its proportional share of memory in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=lambda text: Path(text).resolve(), default=Path("build/bench").resolve())
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    taken = [notification(options.work, options.rows) for _ in range(options.runs)]
    found = {
        f"tick to notification, {options.rows} captures, s": [round(value, 2) for value in sorted(taken)],
        "median": round(statistics.median(taken), 2),
        "idle server": server(20),
        "scheduler without schedules": schedules(0, 20),
        "scheduler with 1,000 schedules": schedules(1000, 20),
    }
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
