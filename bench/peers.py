"""Every contestant in a virtual environment of its own, made from its pinned requirements."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    "scikit-learn",
    "evidently",
    "nannyml",
    "deepchecks",
    "pyspark",
    "polars",
    "whylogs",
    "fastapi",
    "mlflow",
    "bentoml",
)
# The package whose version stands for the contestant.
PACKAGES = {"floor": "duckdb"}
QUIET = {
    "DO_NOT_TRACK": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "DEEPCHECKS_DISABLE_LATEST": "true",
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WHYLOGS_NO_ANALYTICS": "True",
    "PYTHONWARNINGS": "ignore",
    "NO_COLOR": "1",
}


class NotInstalledError(Exception):
    """A contestant that cannot be measured, and why."""


def python(work: Path, name: str) -> Path:
    """The interpreter of a contestant's environment."""
    return work / "venvs" / name / "bin" / "python"


def install(work: Path, name: str, requirements: list[str], *, again: bool = False) -> None:
    """Make the environment of a contestant unless a whole one is there; raises :class:`NotInstalledError`."""
    folder = work / "venvs" / name
    stamp = folder / "installed"
    wanted = "\n".join(requirements)
    if not again and stamp.exists() and stamp.read_text() == wanted:
        return
    if name == "pyspark" and shutil.which("java") is None:
        raise NotInstalledError("needs java, which is not on the path")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _call([sys.executable, "-m", "venv", str(folder)], 120)
    _call([str(python(work, name)), "-m", "pip", "install", "--quiet", *requirements], 1200)
    stamp.write_text(wanted)


def requirements(name: str) -> list[str]:
    """What pip is asked for: the contestant's pinned file."""
    lines = (HERE / "peers" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def version(work: Path, name: str, package: str) -> str:
    """The installed version of a package in a contestant's environment."""
    code = "import importlib.metadata as m, sys; sys.stdout.write(m.version(sys.argv[1]))"
    command = [str(python(work, name)), "-c", code, package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else "?"


def _call(command: list[str], limit: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"installing took longer than {limit:.0f} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise NotInstalledError((lines or ["pip failed"])[-1][:300])
