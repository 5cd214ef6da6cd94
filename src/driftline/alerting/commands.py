"""Running an operator's command: no shell, a bare environment, limits on time and on what is kept of its words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from driftline.alerting.actions import Command
from driftline.core.configuration import DELIVERY
from driftline.processes.child import Child, Limits
from driftline.processes.environment import bare_environment

MOST_OUTPUT = 2000
"""Characters of a command's output that are kept."""


def run_command(command: Command, message: bytes, folder: Path, key: str) -> tuple[bool, str]:
    """Whether a command ended well, and what it said (its beginning).

    It finds the message as JSON on its standard input and ``DRIFTLINE_DELIVERY``, the idempotency key, in its
    environment, where nothing else of the service's is. It works in the data folder. After its time limit it is
    killed, with whatever it started.
    """
    limits = Limits(command.timeout, memory=0, output=4 * MOST_OUTPUT)
    environment = bare_environment(command.environment) | {DELIVERY.name: key}
    with tempfile.TemporaryFile() as given:
        given.write(message)
        given.seek(0)
        try:
            child = Child(command.run, limits, environment=environment, folder=folder, stdin=given)
        except (OSError, ValueError) as error:
            return False, f"could not be started: {type(error).__name__}: {getattr(error, 'strerror', None) or error}"
        with child:
            killed = child.wait() is not None
    ended = f"killed after {command.timeout:g} s" if killed else f"exit code {child.process.returncode}"
    said = child.output.text().strip()[:MOST_OUTPUT]
    return ended == "exit code 0", f"{ended}: {said}" if said else ended
