"""What ``driftline doctor`` looks at."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from pathlib import Path
from typing import Literal

import msgspec

from driftline.client import Client
from driftline.core.errors import DriftlineError

PACKAGES = ("driftline", "duckdb", "pyarrow", "numpy", "sqlalchemy", "litestar", "uvicorn")
# Each extra, and the packages any one of which serves its models.
RUNTIMES = {
    "xgboost": ("xgboost-cpu", "xgboost"),
    "sklearn": ("skops",),
    "lightgbm": ("lightgbm",),
    "onnx": ("onnxruntime", "onnxruntime-gpu"),
}
LOW_DISK = 1 << 30


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    state: Literal["ok", "warning", "wrong"]
    what: str
    hint: str = ""


def checkup(data: Path | None, url: str | None) -> list[Finding]:
    """Versions, runtimes, the data folder, the service and its latest runs."""
    found = [_python(), *_packages(), *_runtimes()]
    if data is not None:
        found += _folder(data)
    return found + _service(url)


def _python() -> Finding:
    text = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("ok", text) if sys.version_info >= (3, 11) else Finding("wrong", text, "driftline needs Python 3.11")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> list[Finding]:
    versions = {package: _version(package) for package in PACKAGES}
    missing = [package for package, version in versions.items() if version is None]
    if missing:
        return [Finding("wrong", f"missing: {', '.join(missing)}", "install driftline again: pip install driftline")]
    return [Finding("ok", ", ".join(f"{package} {version}" for package, version in versions.items()))]


def _runtimes() -> list[Finding]:
    found = []
    for extra, packages in RUNTIMES.items():
        versions = [f"{package} {version}" for package in packages if (version := _version(package))]
        if versions:
            found.append(Finding("ok", f"models of {extra}: {versions[0]}"))
        else:
            found.append(Finding("warning", f"models of {extra} cannot be served", f"pip install 'driftline[{extra}]'"))
    return found


def _folder(data: Path) -> list[Finding]:
    from driftline.service import Service

    if not data.exists():
        return [Finding("warning", f"there is no data folder {data}", f"driftline serve --data {data} makes it")]
    try:
        with Service(data):
            pass
    except DriftlineError as error:
        return [Finding("wrong", error.what, error.hint)]
    free = shutil.disk_usage(data).free
    room = f"{free / (1 << 30):.1f} GiB free"
    if free < LOW_DISK:
        hint = "free some: on a full disk predictions are answered but not captured"
        return [Finding("warning", f"data folder {data}: {room}", hint)]
    return [Finding("ok", f"data folder {data} and its database can be used, {room}")]


def _service(url: str | None) -> list[Finding]:
    with Client(url, timeout=5.0) as client:
        try:
            runs = client.list_runs(limit=20)
            endpoints = client.list_endpoints()
            schedules = client.list_schedules()
        except DriftlineError as error:
            return [Finding("warning", error.what, error.hint)]
        found = [Finding("ok", f"service at {client.url}: {len(endpoints)} endpoints, {len(schedules)} schedules")]
    failed = [run for run in runs if run.status == "Failed"]
    if failed:
        hint = f"driftline runs show {failed[0].id}"
        found.append(Finding("warning", f"{len(failed)} of the last {len(runs)} runs failed: {failed[0].error}", hint))
    waiting = [run for run in runs if run.status == "Pending"]
    if len(waiting) > 5:
        found.append(
            Finding("warning", f"{len(waiting)} runs are waiting", "does the scheduler run? see the server's log")
        )
    return found
