"""Whether shipping keeps up with an endpoint: captures written at its rate, and an S3 server on this machine."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import endpoint
import measure

from driftline.resources.endpoints import CaptureSettings
from driftline.serving.capture_log import CaptureLog
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import EndpointConfig
from driftline.storage import spool
from driftline.storage.layout import Layout

ROW = ",".join(["0.12345678"] * 20)
BATCH = 16
"""Requests that join in one turn of an endpoint's event loop, as many as there are connections in endpoint.py."""
WAITING = 500_000
"""Captures that wait when a spool is drained."""
_TICK = 0.05


def write(data: Path, rate: float, seconds: float) -> tuple[int, float]:
    """Capture so many requests a second; how many there were, and the seconds it took."""
    log = CaptureLog(data / "captures", time.time)
    served = EndpointConfig("churn", None, capture=CaptureSettings())
    began, written = time.perf_counter(), 0
    while written < rate * seconds:
        due = rate * min(seconds, time.perf_counter() - began)
        while written < due:
            batch = [Exchange(ROW.encode(), "text/csv", b"0.8765432", "text/csv", None) for _ in range(BATCH)]
            log.append(served, batch)
            written += BATCH
        log.rotate()
        time.sleep(_TICK)
    log.close()
    return written, time.perf_counter() - began


def buckets(work: Path, port: int) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """rclone's S3 server over a folder, and what its clients are told."""
    key, secret = "AKIADRIFTLINE0000000", uuid4().hex
    (work / "buckets" / "lake").mkdir(parents=True)
    program = Path(sys.executable).with_name("rclone")
    command = [program, "serve", "s3", work / "buckets", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{key},{secret}"]
    process = subprocess.Popen([*command, "--config", os.devnull], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    where = {"DRIFTLINE_S3_ENDPOINT": f"http://127.0.0.1:{port}", "DRIFTLINE_STORE": "s3://lake/all"}
    endpoint.wait_until_listening(
        endpoint.Target("rclone", f"{where['DRIFTLINE_S3_ENDPOINT']}/", "text/csv", "", process.pid), process
    )
    return process, keys | where


def shipped(data: Path, env: Mapping[str, str], options: argparse.Namespace) -> dict[str, float]:
    """Write and ship at once; what waited meanwhile, and how long the rest took."""
    data.mkdir(parents=True)
    command = [sys.executable, "-P", "-m", "driftline.jobs.shared", "--data", str(data)]
    with (data.parent / "shipper.log").open("wb") as log:
        shipper = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
    writer = subprocess.Popen(
        [
            sys.executable,
            __file__,
            "--write",
            str(data),
            "--rate",
            str(options.rate),
            "--seconds",
            str(options.seconds),
        ],
        stdout=subprocess.PIPE,
    )
    layout, most, cpu = Layout(data), 0, measure.cpu_seconds(shipper.pid)
    began = time.perf_counter()
    while writer.poll() is None:
        said = spool.figures(layout)
        most = max(most, said.bytes if said else 0)
        time.sleep(0.2)
    wrote = time.perf_counter() - began
    records, took = json.loads(writer.communicate()[0])
    while True:
        said = spool.figures(layout)
        if said is not None and said.files == 0 and said.uploads:
            break
        time.sleep(0.1)
    drained = time.perf_counter() - began - wrote
    cpu = measure.cpu_seconds(shipper.pid) - cpu
    shipper.terminate()
    shipper.wait(30)
    size = sum(path.stat().st_size for path in (data / "captures").rglob("*.jsonl"))
    return {
        "captures a second": round(records / took),
        "MB a second": round(size / took / 1e6, 1),
        "MB captured": round(size / 1e6),
        "most that waited, MB": round(most / 1e6, 1),
        "seconds until nothing waited": round(drained, 1),
        "MB uploaded": round(said.shipped_bytes / 1e6),
        "shipper's CPU, % of a core": round(100 * cpu / (wrote + drained)),
    }


def drained(data: Path, env: Mapping[str, str]) -> dict[str, float]:
    """How fast the shipper is when it has nothing to wait for."""
    write(data, WAITING / 0.1, 0.1)
    size = sum(path.stat().st_size for path in (data / "captures").rglob("*.jsonl"))
    command = [sys.executable, "-P", "-m", "driftline.jobs.shared", "--data", str(data)]
    layout = Layout(data)
    with (data.parent / "drain.log").open("wb") as log:
        shipper = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
    while (said := spool.figures(layout)) is None or said.files == 0:
        time.sleep(0.01)
    began = time.perf_counter()
    while (said := spool.figures(layout)) is None or said.files:
        time.sleep(0.02)
    took = time.perf_counter() - began
    shipper.terminate()
    shipper.wait(30)
    return {"MB that waited": round(size / 1e6), "MB a second": round(size / took / 1e6)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path, help="be the writer, into this data folder")
    parser.add_argument("--rate", type=float, default=23_300, help="captures a second: an endpoint's full rate")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    if options.write is not None:
        sys.stdout.write(json.dumps(write(options.write, options.rate, options.seconds)))
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        server, env = buckets(work, endpoint.free_port())
        try:
            found = {
                "at an endpoint's rate": shipped(work / "a" / "data", env, options),
                "a spool that drains": drained(work / "b" / "data", env | {"DRIFTLINE_STORE": "s3://lake/drained"}),
            }
        finally:
            server.terminate()
            server.wait(10)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
