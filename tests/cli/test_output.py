"""How commands print: tables, colours, pipes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from driftline.cli.output import table

PROGRAM = (sys.executable, "-P", "-m", "driftline.cli.__main__")


def test_columns_stand_under_their_headers() -> None:
    lines = table([("a", 1, "x"), ("longer", 22, "y")], ("name", "n", "last"), 80)
    assert lines == ["name    n   last", "a       1   x", "longer  22  y"]
    assert table([], ("name",)) == ["(none)"]


def test_colours_take_no_room() -> None:
    lines = table([("\x1b[32m✓ OK\x1b[0m", "x"), ("\x1b[31m✕ VIOLATED\x1b[0m", "y")], ("verdict", "n"), 80)
    assert [line.index(last) for line, last in zip(lines, ("n", "x", "y"), strict=True)] == [12, 21, 21]


def test_a_long_last_column_goes_on_below_its_header() -> None:
    reason = (
        "f2 was 0.465686 at 00:00, LessThanThreshold 0.6958 (1 of 1 datapoints), which is what it was asked to tell"
    )
    lines = table([("churn-f2-low", "INSUFFICIENT_DATA", reason)], ("alarm", "state", "reason"), 80)
    assert max(map(len, lines)) <= 80
    column = lines[0].index("reason")
    assert " ".join(line[column:] for line in lines[1:]) == reason
    assert all(line[:column].strip() == "" for line in lines[2:])


def test_lines_of_runs_fit_a_terminal() -> None:
    row = ("a" * 32, "2026-11-22 10:00–11:00", "VIOLATED", "churn-hourly")
    lines = table([row], ("run", "reads (UTC)", "verdict", "schedule"), 80)
    assert len(lines) == 2
    assert len(lines[1]) == 80


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """A check that ends with 3."""
    return (
        *PROGRAM,
        "check",
        "model-quality",
        "--captures",
        tmp_path_factory.mktemp("captures"),
        "--probability-attribute",
        "0",
    )


def on_terminal(command: tuple[object, ...], **environment: str) -> tuple[int, str]:
    """The exit code and the output of a command whose output is a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    done = subprocess.run(
        [str(word) for word in command],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=clean | {"TERM": "xterm"} | environment,
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:
        pass  # Linux ends a terminal without a writer so
    os.close(ours)
    return done.returncode, said.decode()


def test_a_terminal_has_colours_unless_it_wants_none(check: tuple[object, ...]) -> None:
    code, coloured = on_terminal(check)
    assert code == 3
    assert "\x1b[33m? UNKNOWN\x1b[0m" in coloured
    assert "\x1b" not in on_terminal(check, NO_COLOR="1")[1]


def test_a_pipe_has_no_colours_and_a_reader_may_leave(check: tuple[object, ...], tmp_path: Path) -> None:
    words = [str(word) for word in check]
    with (tmp_path / "out").open("wb") as file:
        assert subprocess.run(words, stdout=file, stderr=subprocess.PIPE).returncode == 3
    assert b"\x1b" not in (tmp_path / "out").read_bytes()
    for command, code in ((words, 3), ([*words, "--json"], 3), ([*PROGRAM, "check", "model-quality", "--help"], None)):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        assert done.stderr == b""
        assert done.returncode == code or (code is None and done.returncode != 1)
