"""The wheel in a clean environment: the locked base and no extra. Minutes long, so only where it is asked for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not os.environ.get("DRIFTLINE_PACKAGE"), reason="make package asks for it")
OF_EXTRAS = {
    "boto3",
    "botocore",
    "cryptography",
    "obstore",
    "pyspark",
    "xgboost",
    "sklearn",
    "skops",
    "lightgbm",
    "tensorflow",
}
OF_EXTRAS |= {"tensorflow", "onnxruntime", "apprise", "psycopg", "hypothesis", "pandas", "pytest"}
IMPORTS = """
import importlib, pkgutil, driftline
for name in driftline.__all__: getattr(driftline, name)
for found in pkgutil.walk_packages(driftline.__path__, "driftline.", onerror=lambda name: None):
    if found.name.endswith("__main__") or ".migrations." in found.name: continue
    try: importlib.import_module(found.name)
    except ModuleNotFoundError as error: print("absent", error.name, found.name)
    except Exception as error: print("broken", found.name, type(error).__name__, error)
"""
ROWS = "label,prediction,probability\n" + "1,1,0.9\n0,0,0.2\n1,0,0.4\n0,1,0.7\n" * 25


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has what the lock says of the base."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    command = [folder / "bin" / "python", ROOT / "deploy" / "install.py", wheel, ROOT / "requirements.lock"]
    subprocess.run(command, check=True, timeout=900, env=bare())
    return folder / "bin"


def bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def run(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=bare(), capture_output=True, text=True, timeout=120, check=False)


def test_only_the_base_is_there_and_fits_together(clean: Path, tmp_path: Path) -> None:
    assert run(clean / "pip", "check", folder=tmp_path).returncode == 0
    names = set(re.findall(r"^([\w.-]+)==", run(clean / "pip", "freeze", folder=tmp_path).stdout, re.M))
    assert {"duckdb", "numpy", "pyarrow"} <= names
    assert not {"pyspark", "boto3", "obstore", "psycopg", "xgboost-cpu", "pytest", "mypy"} & names


def test_every_module_is_there_or_says_which_extra_it_needs(clean: Path, tmp_path: Path) -> None:
    ran = run(clean / "python", "-I", "-c", IMPORTS, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    for line in ran.stdout.splitlines():
        word, library, *_ = line.split()
        assert word == "absent", line
        assert library.partition(".")[0] in OF_EXTRAS, line


def test_a_file_is_checked(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(ROWS)
    named = ("--prediction", "prediction", "--probability", "probability")
    assert run(clean / "driftline", "--version", folder=tmp_path).stdout.startswith("driftline ")
    made = run(clean / "driftline", "baseline", "model-quality", "scores.csv", "-o", "b", *named, folder=tmp_path)
    assert made.returncode == 0, made.stderr
    asked = ("--data", "scores.csv", "--constraints", "b/constraints.json", *named, "-o", "report")
    judged = run(clean / "driftline", "check", "model-quality", *asked, folder=tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert (tmp_path / "report" / "report.html").is_file()


def test_a_service_starts_and_ends(clean: Path, tmp_path: Path) -> None:
    words = (clean / "driftline", "serve", "--data", tmp_path / "data", "--port", "0", "--access", "off")
    with subprocess.Popen(words, cwd=tmp_path, env=bare(), stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            (url,) = next(found for line in server.stderr if (found := re.findall(r" on (http://\S+) \(", line)))
            assert urllib.request.urlopen(f"{url}/healthz", timeout=30).status == 200
            assert b"<html" in urllib.request.urlopen(url, timeout=30).read()
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
