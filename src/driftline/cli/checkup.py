"""What ``driftline doctor`` looks at."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path

from driftline.cli.checkup_folder import folder
from driftline.cli.checkup_service import service
from driftline.cli.findings import Finding

PACKAGES = ("driftline", "duckdb", "pyarrow", "numpy", "sqlalchemy", "litestar", "uvicorn")
# Each extra, and the packages any one of which serves its models.
RUNTIMES = {
    "xgboost": ("xgboost-cpu", "xgboost"),
    "sklearn": ("skops",),
    "lightgbm": ("lightgbm",),
    "onnx": ("onnxruntime", "onnxruntime-gpu"),
}


def checkup(data: Path | None, url: str | None) -> list[Finding]:
    """Versions, runtimes, the data folder, the service and its latest runs."""
    found = [_python(), *_packages(), *_runtimes()]
    if data is not None:
        found += folder(data)
    return found + service(url)


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
