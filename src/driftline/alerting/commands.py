"""Running an operator's command: no shell, a bare environment, limits on time and on what is kept of its words."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from driftline.alerting.actions import Command

MOST_OUTPUT = 2000
"""Characters of a command's output that are kept."""
_HARMLESS = ("PATH", "LANG", "LC_ALL", "TZ")


def run_command(command: Command, message: bytes, folder: Path, key: str) -> tuple[bool, str]:
    """Whether a command ended well, and what it said (its beginning).

    It finds the message as JSON on its standard input and ``DRIFTLINE_DELIVERY``, the idempotency key, in its
    environment, where nothing else of the service's is. It works in the data folder. After its time limit it is
    killed, with whatever it started.
    """
    with tempfile.TemporaryFile() as given:
        given.write(message)
        given.seek(0)
        try:
            process = subprocess.Popen(
                command.run,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(command, key),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return False, f"could not be started: {type(error).__name__}: {getattr(error, 'strerror', None) or error}"
        with process:
            return _watched(process, command.timeout)


def _watched(process: subprocess.Popen[bytes], timeout: float) -> tuple[bool, str]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    kept = bytearray()
    reader = threading.Thread(target=_read, args=(process.stdout, kept), daemon=True)
    reader.start()
    try:
        ended = f"exit code {process.wait(timeout)}"
    except subprocess.TimeoutExpired:
        ended = f"killed after {timeout:g} s"
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    reader.join()
    said = kept.decode("utf-8", "replace").strip()[:MOST_OUTPUT]
    return ended == "exit code 0", f"{ended}: {said}" if said else ended


def _read(stream: IO[bytes], kept: bytearray) -> None:
    """Keep the beginning and pass over the rest, so that a talkative command neither waits nor fills the memory."""
    while chunk := os.read(stream.fileno(), 65_536):
        kept += chunk[: max(0, 4 * MOST_OUTPUT - len(kept))]


def _environment(command: Command, key: str) -> dict[str, str]:
    seen = {name: os.environ[name] for name in (*_HARMLESS, *command.environment) if name in os.environ}
    return {"PATH": os.defpath} | seen | {"DRIFTLINE_DELIVERY": key}
