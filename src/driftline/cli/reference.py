"""The configuration reference: a page made from the register of variables and from the commands themselves.

``python -m driftline.cli.reference FILE`` writes it (``make docs``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from driftline.core.configuration import OTHERS, SETTINGS, Reader, Setting

_HEAD = """# Configuration

Made from the code by `make docs`; a change here would be lost. What a node of several needs is in
[deployment.md](deployment.md).

Everything about endpoints, schedules and alarms is state of the service and set by commands, the API or the pages.
Variables and the options of `driftline serve` say where a process finds that state and its files. An option counts
before its variable. Bytes are written `500MB`, `10GiB` or as a number; durations `90s`, `15min`, `2h`, `3d`, `PT6H` or
as a number of seconds. What cannot be understood is an error that names the variable.
"""
_READERS: dict[Reader, str] = {
    "service": "Read by a service's processes",
    "client": "Read by commands and clients that talk to a service",
    "program": "Set by driftline for programs it starts",
}


def reference(app: typer.Typer) -> str:
    """The page, in Markdown."""
    parts = [_HEAD, "## Variables\n", *_variables(), "## Commands\n", *_commands(typer.main.get_command(app))]
    return "\n".join(parts)


def options(app: typer.Typer) -> dict[str, frozenset[str]]:
    """The options of every command, such as ``{"serve": {"--data", …}}``."""
    found = _leaves(typer.main.get_command(app), ())
    return {name: frozenset(option for one in command.params for option in one.opts) for name, command in found}


def _variables() -> Iterator[str]:
    for reader, heading in _READERS.items():
        rows = [_row(one) for one in SETTINGS if one.reader == reader]
        yield f"### {heading}\n"
        yield _table(("variable", "holds", "default", "meaning"), rows)
    yield "### Variables of others that matter\n"
    yield _table(
        ("variables", "what"),
        [(", ".join(f"`{n}`" for n in names.split(", ")), what) for names, what in OTHERS.items()],
    )
    yield "Values of variables marked secret are in no log and no message.\n"


def _row(setting: Setting[Any]) -> tuple[str, ...]:
    holds = f"{setting.kind.word}, secret" if setting.secret else setting.kind.word
    return f"`{setting.name}`", holds, f"`{setting.default}`" if setting.default else "", setting.meaning


def _commands(root: Any) -> Iterator[str]:
    for name, command in _leaves(root, ()):
        yield f"### driftline {name}\n"
        yield f"{_line((command.help or '').partition(chr(10) * 2)[0])}\n"
        shown = [one for one in command.params if not one.hidden]
        if shown:
            yield _table(("argument or option", "default", "meaning"), [_described(one) for one in shown])


def _leaves(group: Any, before: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _leaves(command, (*before, name))
        else:
            yield " ".join((*before, name)), command


def _described(parameter: Any) -> tuple[str, ...]:
    argument = parameter.param_type_name == "argument"
    names = [parameter.name.upper()] if argument else [*parameter.opts, *parameter.secondary_opts]
    meaning = _line(parameter.help or "")
    if parameter.envvar:
        meaning += f" (variable `{parameter.envvar}`)"
    return ", ".join(f"`{name}`" for name in names), _default(parameter), meaning


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    given = parameter.default
    nothing = given is None or given is False or given in ((), [], "") or callable(given)
    return "" if nothing else f"`{getattr(given, 'value', given)}`"


def _line(text: str) -> str:
    return " ".join(text.split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def main(arguments: list[str]) -> None:
    """Write the page to the file that is named."""
    from driftline.cli.app import app

    Path(arguments[0]).write_text(reference(app), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
