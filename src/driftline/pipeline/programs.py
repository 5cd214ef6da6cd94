"""What the operator lets schedules run: programs, by name, in ``programs.toml`` in the data folder."""

from __future__ import annotations

import math
import os
import shutil
import tomllib
from contextlib import suppress
from pathlib import Path

import msgspec

from driftline.core.errors import InputError, NotFoundError
from driftline.processes.child import Limits
from driftline.storage.layout import check_name

FILE = "programs.toml"
INPUT = "input"
"""The folder in that of a report with what a program is given."""
LEAST_MEMORY = 16
"""MiB below which no program starts."""


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program with its arguments; ``time_limit`` is in seconds, ``memory_limit`` in MiB. ``environment`` names the
    variables that it may see beside a few harmless ones and those of the contract."""

    run: tuple[str, ...]
    time_limit: float = 600.0
    memory_limit: int = 1024
    environment: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """What it may take."""
        return Limits(seconds=self.time_limit, memory=self.memory_limit << 20)


class Programs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entries of the file, by name."""

    program: dict[str, Program] = {}

    def find(self, name: str) -> Program:
        """What a name stands for; :class:`NotFoundError` when the file has no such entry."""
        found = self.program.get(name)
        if found is None:
            raise NotFoundError(
                f"there is no program {name[:80]!r}",
                evidence=f"{FILE} names {', '.join(sorted(self.program))[:300] or 'none'}",
                hint=f"the operator of the service writes a section [program.{name[:80]}] in {FILE} in the data folder",
            )
        return found

    def check(self, name: str) -> None:
        """Raises :class:`NotFoundError` for a name that is not there, :class:`InputError` for one whose program is no
        file that can be run."""
        path = self.find(name).run[0]
        if not (Path(path).is_file() and os.access(path, os.X_OK)):
            hint = f"the operator of the service puts it there, or corrects [program.{name}] in {FILE}"
            raise InputError(f"the program {name} cannot be run", evidence=f"{path} is no executable file", hint=hint)


def read_programs(folder: Path) -> Programs:
    """The programs of a data folder, none when it has no such file; :class:`InputError` for one that is wrong."""
    try:
        found = msgspec.convert(tomllib.loads((folder / FILE).read_text(encoding="utf-8")), Programs)
    except FileNotFoundError:
        return Programs()
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _wrong(f"{type(error).__name__}: {error}") from None
    for name, program in found.program.items():
        _check(name, program)
    return found


def remove_input(report: str) -> None:
    """Remove the copies that a run made for its program; a run that was killed cannot do so itself."""
    with suppress(OSError):
        shutil.rmtree(Path(report) / INPUT)


def _check(name: str, program: Program) -> None:
    try:
        check_name(name, "program")
    except InputError as error:
        raise _wrong(error.what) from None
    if not (program.run and Path(program.run[0]).is_absolute()):
        raise _wrong(f"run of {name} does not begin with the whole path of a program")
    if not 0 < program.time_limit < math.inf:
        raise _wrong(f"the time_limit of {name} is {program.time_limit}, not a number of seconds above 0")
    if program.memory_limit < LEAST_MEMORY:
        raise _wrong(f"the memory_limit of {name} is {program.memory_limit}, below {LEAST_MEMORY} MiB")


def _wrong(seen: str) -> InputError:
    return InputError(f"{FILE} cannot be used", evidence=seen[:300], hint="see docs/scripts.md for how it is written")
