"""What is in the wheel and in the source distribution."""

from __future__ import annotations

import email
import subprocess
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from driftline import __all__ as public

ROOT = Path(__file__).parents[2]
KINDS = {".py", ".html", ".css", ".js", ".properties", ".svg", ".LICENSE", ".typed"}


def tracked(under: str) -> set[str]:
    """The files below a folder that belong to the project."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", under]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip("this is no working copy of the repository")
    return {name for name in found.stdout.split() if (ROOT / name).exists()}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == {name.removeprefix("src/") for name in tracked("src/driftline")}
    assert {PurePosixPath(name).suffix or name for name in inside} <= {*KINDS, "driftline/py.typed"}
    about = {name.partition(".dist-info/")[2] for name in names - inside}
    assert about == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    for wanted in ("py.typed", "web/templates/home.html", "web/static/style.css", "storage/migrations/env.py"):
        assert f"driftline/{wanted}" in inside
    assert not [name for name in inside if "test_" in name or "/tests/" in name or "__pycache__" in name]
    assert public


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [one for one in opened.namelist() if one.endswith("METADATA")]
        about = email.message_from_bytes(opened.read(name))
        (programs,) = [one for one in opened.namelist() if one.endswith("entry_points.txt")]
        assert b"driftline = driftline.cli.__main__:main" in opened.read(programs)
    assert about["License-Expression"] == "Apache-2.0"
    assert {"aws", "spark", "postgres", "xgboost"} <= set(about.get_all("Provides-Extra", []))
    base = [one for one in about.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert not [one for one in base if one.startswith(("pyspark", "boto3", "obstore", "psycopg", "xgboost"))]


def test_the_source_builds_without_the_repository(source: Path) -> None:
    with tarfile.open(source) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "requirements.lock", "src/driftline/py.typed"} <= names
    assert names - {"PKG-INFO"} <= tracked(".")
