"""Becomes another program, after it has set limits to itself: what a child must do by itself before it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from driftline.processes.ending import end_with_parent, limit_memory
from driftline.processes.environment import python_command

NOT_STARTED = 127


def launched(command: Sequence[str], memory: int) -> list[str]:
    """The command that runs a program with at most ``memory`` bytes of data, and ends it with this process."""
    return python_command(__name__, str(memory), *command)


def main(arguments: Sequence[str]) -> None:
    """Set the limits and become the program; exit code 127 where it cannot be started."""
    memory, *command = arguments
    end_with_parent()
    limit_memory(int(memory))
    try:
        os.execvp(command[0], command)  # noqa: S606 - there is no shell on purpose
    except OSError as error:
        sys.stderr.write(f"{command[0]} could not be started: {error.strerror}\n")
        sys.exit(NOT_STARTED)
