"""Scripts in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a script."""

    def write(code: str, name: str = "pre.py") -> Path:
        path = tmp_path / name
        path.write_text(dedent(code), encoding="utf-8")
        return path

    return write


@pytest.fixture
def handler(script: Callable[[str], Path]) -> Callable[[str], Path]:
    """Writes a script whose handler has a given body."""

    def write(body: str) -> Path:
        lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
        return script(f"import os, sys, time\n\ndef preprocess_handler(inference_record, logger):\n{lines}\n")

    return write
