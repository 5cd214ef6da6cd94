"""Where AWS clients find the running server of a data folder: written when it starts, for the commands beside it."""

from __future__ import annotations

import os
from contextlib import suppress

import msgspec

from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout


class AwsServer(msgspec.Struct, frozen=True):
    """A server that answers AWS clients.

    ``s3_endpoint`` is empty where buckets are folders of ours; ``proxy`` is the address of the identity process;
    ``access`` is whether signatures are checked.
    """

    pid: int
    url: str
    region: str
    account: str
    proxy: str
    access: bool = False
    s3_endpoint: str = ""


def announce(layout: Layout, server: AwsServer) -> None:
    """Tell where the server of a folder is."""
    write_atomic(layout.aws / "server.json", msgspec.json.format(msgspec.json.encode(server), indent=1))


def withdraw(layout: Layout, pid: int) -> None:
    """Tell that a server has ended, unless another has taken its place."""
    found = announced(layout)
    if found is not None and found.pid == pid:
        (layout.aws / "server.json").unlink(missing_ok=True)


def announced(layout: Layout) -> AwsServer | None:
    """The server of a folder whose process runs; None where there is none."""
    with suppress(OSError, msgspec.MsgspecError):
        found = msgspec.json.decode((layout.aws / "server.json").read_bytes(), type=AwsServer)
        os.kill(found.pid, 0)
        return found
    return None
