"""``driftline preprocess test``: rows, log, and the record that broke a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftline.core.records import encode_line
from driftline.testing import capture

Cli = Callable[..., Any]
SCRIPT = """
def preprocess_handler(inference_record, logger):
    logger.info("at %s", inference_record.event_metadata.event_id)
    a, b = inference_record.endpoint_input.data.split(",")
    return {"a": int(a), "b": b, "score": float(inference_record.endpoint_output.data)}
"""


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    path = tmp_path / "captures.jsonl"
    records = [encode_line(capture("0.5", f"e-{n}", request=f"{n},x" if n != 7 else "broken")) for n in range(50)]
    path.write_bytes(b"".join(records))
    return path


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "pre.py"
    path.write_text(SCRIPT)
    return path


def test_it_shows_rows_and_the_log(cli: Cli, script: Path, captures: Path) -> None:
    done = cli("preprocess", "test", script, "--on", captures, "--rows", 3)
    assert (done.code, done.out.splitlines()[0]) == (0, "3 records gave 3 rows of 3 columns, 0 dropped")
    assert [line.split() for line in done.out.splitlines()[-2:]] == [
        ["1", "│", "x", "│", "0.5"],
        ["2", "│", "x", "│", "0.5"],
    ]
    assert done.err.splitlines()[0] == "INFO at e-0"


def test_it_shows_them_as_json(cli: Cli, script: Path, captures: Path) -> None:
    done = cli("preprocess", "test", script, "--on", captures, "--rows", 2, "--json")
    found = json.loads(done.out)
    assert found["columns"] == {"a": "int64", "b": "string", "score": "double"}
    assert found["rows"] == [{"a": 0, "b": "x", "score": 0.5}, {"a": 1, "b": "x", "score": 0.5}]
    assert (found["report"]["rows"], found["report"]["log"]) == (2, "INFO at e-0\nINFO at e-1\n")
    assert done.err == ""


def test_it_shows_the_record_that_broke_it(cli: Cli, script: Path, captures: Path) -> None:
    done = cli("preprocess", "test", script, "--on", captures)
    assert (done.code, done.out) == (2, "")
    assert "pre.py: preprocess_handler raised ValueError: not enough values to unpack" in done.err
    assert "seen: record 8, event e-7: " in done.err
    assert "INFO at e-7" in done.err
    assert 'a, b = inference_record.endpoint_input.data.split(",")' in done.err
    error = json.loads(cli("preprocess", "test", script, "--on", captures, "--json").err)["error"]
    assert (error["code"], "INFO at e-7" in error["log"], "ValueError" in error["trace"]) == ("script", True, True)


def test_lines_of_a_csv(cli: Cli, tmp_path: Path) -> None:
    table, path = tmp_path / "table.csv", tmp_path / "pre.py"
    table.write_text("a,b\n1,\x1b[31mred\n2,[bold]x\n")
    path.write_text("def preprocess_handler(line):\n    a, b = line.split(',')\n    return {'a': int(a), 'b': b}\n")
    done = cli("preprocess", "test", path, "--on", table, "--header")
    assert (done.code, "\x1b" in done.out) == (0, False), done.err
    assert "·[31mred" in done.out
    assert "[bold]x" in done.out


def test_a_wide_result_and_none(cli: Cli, tmp_path: Path, captures: Path) -> None:
    path = tmp_path / "pre.py"
    path.write_text("def preprocess_handler(r):\n    return {f'column {n}': 'x' * 100 for n in range(20)}\n")
    done = cli("preprocess", "test", path, "--on", captures, "--rows", 1)
    assert (done.code, "and 8 more columns" in done.out) == (0, True)
    path.write_text("def preprocess_handler(r):\n    return []\n")
    done = cli("preprocess", "test", path, "--on", captures, "--rows", 2)
    assert (done.code, done.out.splitlines()[0]) == (0, "2 records gave 0 rows of 0 columns, 2 dropped")


def test_files_that_are_not_there(cli: Cli, script: Path, captures: Path, tmp_path: Path) -> None:
    assert cli("preprocess", "test", tmp_path / "none.py", "--on", captures).code == 2
    done = cli("preprocess", "test", script, "--on", tmp_path / "none.jsonl")
    assert (done.code, "none.jsonl cannot be read" in done.err) == (2, True)
    assert cli("preprocess", "test", script, "--on", captures, "--seconds", "0").code == 2
