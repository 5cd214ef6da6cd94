"""What runs beside a server: the shipper; and where AWS clients are answered, the S3 server, and what answers for AWS's
own names."""

from __future__ import annotations

from pathlib import Path

from driftline.jobs import s3_server
from driftline.jobs.shared.process import needed
from driftline.jobs.supervisor import Companion, listen
from driftline.storage.authority import Authority
from driftline.storage.buckets import s3_service
from driftline.storage.layout import Layout


def s3_endpoint(region: str) -> str:
    """The address of the S3 that is used instead of ours; empty where it is ours."""
    given = s3_service()
    return f"https://s3.{region}.amazonaws.com" if given == "aws" else given


def s3_companion() -> Companion:
    """The S3 server; :class:`SetupError` when rclone is not installed."""
    s3_server.program()
    return Companion("S3 server", "driftline.jobs.s3_server", listen("127.0.0.1", 0))


def identity_companion(data: Path, url: str) -> Companion:
    """The process that answers for AWS's own names, with the authority it needs and the file clients are given."""
    Authority(Layout(data).aws).write_bundle()
    return Companion("identity", "driftline.aws.identity", listen("127.0.0.1", 0), ("--server", url))


def shipper_companions(data: Path, clock: Path | None) -> list[Companion]:
    """The shipper, as soon as the data folder needs one. It ends last: what the others write at their end is shipped
    too."""
    options = () if clock is None else ("--clock", str(clock))
    layout = Layout(data)
    return [Companion("shipper", "driftline.jobs.shared", None, options, last=True, when=lambda: needed(layout))]


def address(companion: Companion) -> str:
    """Where a companion is reached."""
    if companion.socket is None:
        raise ValueError(f"nobody can reach the {companion.name}")
    host, port = companion.socket.getsockname()[:2]
    return f"http://{host}:{port}"
