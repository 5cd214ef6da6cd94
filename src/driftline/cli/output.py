"""How commands speak: results to stdout (for people or as JSON), talk to stderr, exit codes 0, 1, 2 and 3."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from driftline.core.errors import DriftlineError

OK, VIOLATED, ERROR, UNKNOWN = 0, 1, 2, 3
GLYPHS = {"OK": "✓", "VIOLATED": "✕", "UNKNOWN": "?"}
_REPORT = "this is a defect of driftline, please report it with the lines above"
_COLOUR = re.compile(r"\x1b\[\d+m")
STYLES = {"OK": "green", "VIOLATED": "red", "UNKNOWN": "yellow"}


class Output:
    """Where a command writes. One object a process; ``--json`` is set by the command that has it."""

    def __init__(self) -> None:
        self.json = False

    def result(self, document: Any, text: Iterable[str]) -> None:
        """The command's result: the document with ``--json``, else the lines."""
        shown = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() if self.json else "\n".join(text)
        try:
            sys.stdout.write(shown + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output (``head``) has had enough; the exit code still tells the verdict.
            self.release()

    def release(self) -> None:
        """Let go of a standard output that nobody reads, so that nothing fails on it at the end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    def say(self, message: str) -> None:
        """Talk: progress, hints, warnings."""
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    def defect(self, error: Exception) -> None:
        """An error that is driftline's own: the trace, and that it is one."""
        if self.json:
            what = f"{type(error).__name__}: {error}"
            document = {"code": "internal", "message": "driftline failed", "evidence": what, "hint": _REPORT}
            self.say(msgspec.json.encode({"error": document}).decode())
        else:
            self.say("".join(traceback.format_exception(error)) + f"{paint('error:', 'red', sys.stderr)} {_REPORT}")

    def fail(self, error: DriftlineError) -> None:
        """An error, for people or as JSON; both to stderr, so that a pipe never takes it for a result."""
        if self.json:
            self.say(msgspec.json.encode({"error": error.as_dict()}).decode())
        else:
            self.say(f"{paint('error:', 'red', sys.stderr)} {error}")


out = Output()


def paint(text: str, style: str, stream: Any = None) -> str:
    """Colour for a terminal that wants it (``NO_COLOR`` and pipes do not)."""
    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    codes = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "dim": "2"}
    return f"\x1b[{codes[style]}m{text}\x1b[0m"


def verdict(value: str) -> str:
    """A verdict as glyph and word, coloured."""
    return paint(f"{GLYPHS[value]} {value}", STYLES[value])


def brief(moment: datetime) -> str:
    """An instant to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def plain(document: msgspec.Struct, **parts: Any) -> dict[str, Any]:
    """A document of the API as plain JSON data, with more parts beside its own."""
    found: dict[str, Any] = msgspec.to_builtins(document)
    return found | parts


def table(rows: Sequence[Sequence[object]], header: Sequence[str], width: int | None = None) -> list[str]:
    """Left-aligned columns under a header; two spaces between them.

    Where ``width`` (by default the terminal's; a pipe has none) is too small, the last column goes on in lines below.
    """
    if not rows:
        return ["(none)"]
    cells = [[*map(str, header)], *([str(cell) for cell in row] for row in rows)]
    widths = [max(_seen(row[i]) for row in cells) for i in range(len(header))]
    if width is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    last = width - sum(widths[:-1]) - 2 * (len(widths) - 1)
    lines = [line for row in cells for line in _lines(row, widths, last)]
    return [paint(lines[0], "bold"), *lines[1:]]


def _lines(row: Sequence[str], widths: Sequence[int], last: int) -> list[str]:
    """One row of a table; its last cell is wrapped where it is wider than what is left for it."""
    *front, end = row
    padded = "".join(cell + " " * (width + 2 - _seen(cell)) for cell, width in zip(front, widths, strict=False))
    parts = textwrap.wrap(end, last, break_on_hyphens=False) if 10 <= last < _seen(end) else [end]
    indent = " " * _seen(padded)
    return [((indent if number else padded) + part).rstrip() for number, part in enumerate(parts or [""])]


def _seen(text: str) -> int:
    """The width of a text on the screen, where colours take no room."""
    return len(_COLOUR.sub("", text))
