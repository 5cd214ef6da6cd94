"""How commands speak: results to stdout (for people or as JSON), talk to stderr, exit codes 0, 1, 2 and 3."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from driftline.core.errors import DriftlineError

OK, VIOLATED, ERROR, UNKNOWN = 0, 1, 2, 3
GLYPHS = {"OK": "✓", "VIOLATED": "✕", "UNKNOWN": "?"}
STYLES = {"OK": "green", "VIOLATED": "red", "UNKNOWN": "yellow"}


class Output:
    """Where a command writes. One object a process; ``--json`` is set by the command that has it."""

    def __init__(self) -> None:
        self.json = False

    def result(self, document: Any, text: Iterable[str]) -> None:
        """The command's result: the document with ``--json``, else the lines."""
        if self.json:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")
        else:
            sys.stdout.write("\n".join(text) + "\n")
        sys.stdout.flush()

    def say(self, message: str) -> None:
        """Talk: progress, hints, warnings."""
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    def fail(self, error: DriftlineError) -> None:
        """An error, for people or as JSON; both to stderr, so that a pipe never takes it for a result."""
        if self.json:
            self.say(msgspec.json.encode({"error": error.as_dict()}).decode())
        else:
            self.say(f"{paint('error:', 'red', sys.stderr)} {error}")


out = Output()


def paint(text: str, style: str, stream: Any = None) -> str:
    """Colour for a terminal that wants it (``NO_COLOR`` and pipes do not)."""
    import os

    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    codes = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "dim": "2"}
    return f"\x1b[{codes[style]}m{text}\x1b[0m"


def verdict(value: str) -> str:
    """A verdict as glyph and word, coloured."""
    return paint(f"{GLYPHS[value]} {value}", STYLES[value])


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> list[str]:
    """Left-aligned columns under a header; two spaces between them."""
    cells = [[*map(str, header)], *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [paint(lines[0], "bold"), *lines[1:]] if rows else ["(none)"]
