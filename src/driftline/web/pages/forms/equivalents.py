"""What a form asks for as a command and as Python. Pure: every word is quoted, every value is a repr."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

import msgspec


class Equivalent(msgspec.Struct, frozen=True):
    """A form's wish in the two other ways; ``note`` says what one of them cannot say."""

    command: str
    python: str
    note: str = ""


class Code(msgspec.Struct, frozen=True):
    """A value that is written as this expression and not as its repr."""

    text: str


def command(words: Sequence[str], name: str, options: Mapping[str, object]) -> str:
    """A command line: ``driftline``, words, the name of a thing, and options with values; those of None left out.

    An option with several values is repeated.

    >>> command(["alarm", "put"], "my alarm", {"--metric": "f2", "--on-alarm": ("log", "call:page"), "--rule": None})
    "driftline alarm put 'my alarm' --metric f2 --on-alarm log --on-alarm call:page"
    """
    given: list[str] = []
    for option, value in options.items():
        values = value if isinstance(value, tuple | list) else () if value is None else (value,)
        given += [part for one in values for part in (option, _word(one))]
    # A name that begins with a hyphen would be taken for an option.
    whole = [*given, "--", name] if name.startswith("-") else [name, *given]
    return shlex.join(["driftline", *words, *whole])


def python(method: str, name: str, options: Mapping[str, object], *, imports: Sequence[str] = ()) -> str:
    """A program that calls a method of the client; options of None are left out.

    >>> print(python("pause_schedule", "hourly", {}))
    from driftline import Client
    <BLANKLINE>
    with Client() as client:
        client.pause_schedule('hourly')
    """
    given = [repr(name), *arguments(options)]
    whole = f"client.{method}({', '.join(given)})"
    if len(whole) > 100:
        lines = "".join(f"\n        {one}," for one in given)
        whole = f"client.{method}({lines}\n    )"
    return "\n".join([*(imports or ["from driftline import Client"]), "", "with Client() as client:", f"    {whole}"])


def arguments(options: Mapping[str, object]) -> list[str]:
    """Named arguments as they are written; those of None are left out."""
    return [f"{key}={_written(value)}" for key, value in options.items() if value is not None]


def _written(value: object) -> str:
    return value.text if isinstance(value, Code) else repr(value)


def _word(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
