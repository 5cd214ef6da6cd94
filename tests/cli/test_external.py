"""``driftline check external``: the program's verdict is the exit code, and its failure is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
VIOLATED = '{"violations": [{"feature_name": "age", "constraint_check_type": "mine", "description": "too old"}]}'


@pytest.fixture
def told(cli: Command, tmp_path: Path) -> Command:
    """The end of a Python program that is run so."""

    def run(code: str, *options: str) -> Any:
        where = ("--captures", tmp_path, "-o", tmp_path / "out", *options)
        return cli("check", "external", *where, "--", sys.executable, "-c", code)

    return run


def leaving(text: str) -> str:
    return f"import os; open(os.environ['output_path'] + '/constraint_violations.json', 'w').write({text!r})"


@pytest.mark.parametrize(("code", "exit_code"), [(leaving('{"violations": []}'), 0), (leaving(VIOLATED), 1), ("", 3)])
def test_the_verdict_is_the_exit_code(told: Command, code: str, exit_code: int) -> None:
    assert told(code).code == exit_code


def test_the_result_is_json_where_it_is_wanted(told: Command) -> None:
    found = json.loads(told(leaving(VIOLATED), "--json").out)
    assert (found["verdict"], found["violations"][0]["feature_name"]) == ("VIOLATED", "age")


def test_a_program_that_fails_is_no_verdict_but_an_error(told: Command) -> None:
    done = told("print('half way'); raise SystemExit(7)")
    assert done.code == 2
    assert "failed with exit code 7" in done.err
