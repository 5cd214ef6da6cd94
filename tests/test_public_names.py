"""The names that `import driftline` promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

import driftline


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert driftline.__all__ == sorted(driftline.__all__)
    for name in driftline.__all__:
        assert getattr(driftline, name).__name__ == name
    assert dir(driftline) == driftline.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_here"):
        driftline.nothing_here  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = ["numpy", "pyarrow", "duckdb", "sqlalchemy", "litestar", "xgboost", "httpx"]
    code = f"import sys, driftline; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
