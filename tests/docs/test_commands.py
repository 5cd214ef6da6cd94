"""The commands in the documents run, and the code in them does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# `serve` goes to the background on a free port, where the commands after it find it; `make` says what it would do.
SHIM = """#!/usr/bin/env bash
if [ "$1" = serve ]; then
  "{python}" -m driftline.cli.__main__ "$@" --port 0 > /dev/null 2> serve.log < /dev/null &
  echo $! > serve.pid
  for _ in $(seq 300); do
    url=$(sed -n 's/.* on \\(http[^ ]*\\).*/\\1/p' serve.log)
    if [ -n "$url" ]; then echo "$url" > serve.url; exit 0; fi
    kill -0 "$(cat serve.pid)" || break
    sleep 0.1
  done
  cat serve.log >&2; exit 1
fi
if [ -f serve.url ]; then export DRIFTLINE_URL=$(cat serve.url); fi
exec "{python}" -m driftline.cli.__main__ "$@"
"""


def blocks(document: Path, language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(document.read_text(encoding="utf-8")) if kind == language]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A folder to work in, with the commands of the documents on the path."""
    tools = tmp_path / "bin"
    tools.mkdir()
    make = f'#!/usr/bin/env bash\nexec {shutil.which("make")} --dry-run -C "{ROOT}" "$@"\n'
    for name, text in {"driftline": SHIM.format(python=sys.executable), "make": make}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tmp_path / "work").mkdir()
    yield {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "WORK": str(tmp_path / "work")}
    pid = tmp_path / "work" / "serve.pid"
    if pid.exists():
        subprocess.run(["kill", pid.read_text().strip()], check=False)


def served(workshop: dict[str, str]) -> str:
    """The address of a service for code that talks to one; it ends with the workshop."""
    began = subprocess.run(
        ["bash", "-c", "driftline serve --data data"],
        cwd=workshop["WORK"],
        env=workshop,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert began.returncode == 0, began.stderr
    return Path(workshop["WORK"], "serve.url").read_text().strip()


SHORT = ("README.md", "CONTRIBUTING.md", "capture.md")


def _each(document: Path) -> Any:
    """A document; of those that tell of one thing each, most are left to the long runs."""
    marks = [] if document.name in SHORT else [pytest.mark.long]
    return pytest.param(document, id=document.name, marks=marks)


@pytest.mark.parametrize("document", [_each(path) for path in DOCUMENTS])
def test_every_shell_block_runs(document: Path, workshop: dict[str, str]) -> None:
    script = "\n".join(blocks(document, "bash"))
    if not script:
        pytest.skip("no commands in it")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=workshop["WORK"],
        env=workshop,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, f"{document.name}:\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("document", [_each(path) for path in DOCUMENTS])
def test_every_python_block_runs(document: Path, tmp_path: Path, workshop: dict[str, str]) -> None:
    code = blocks(document, "python")
    if not code:
        pytest.skip("no code in it")
    if "pyspark" in "\n".join(code) and shutil.which("java") is None and not os.environ.get("CI"):
        pytest.skip("there is no Java: apt-get install openjdk-17-jre-headless")
    script = tmp_path / "script.py"
    script.write_text("\n".join(code), encoding="utf-8")
    if "Client()" in script.read_text(encoding="utf-8"):
        workshop["DRIFTLINE_URL"] = served(workshop)
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, cwd=workshop["WORK"], env=workshop
    )
    assert ran.returncode == 0, ran.stderr


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_reject_reason_is_documented() -> None:
    from driftline.engine.rejects import MEANING

    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    assert [reason for reason in MEANING if f"`{reason}`" not in text] == []
