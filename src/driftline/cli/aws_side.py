"""What ``driftline serve --aws`` starts beside a server, and what it tells the commands that look for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from driftline.core.errors import InputError
from driftline.jobs.companions import address, identity_companion, s3_companion, s3_endpoint
from driftline.jobs.supervisor import Companion
from driftline.storage.aws_server import AwsServer, announce, withdraw
from driftline.storage.layout import Layout

_FRONT = "driftline.aws.assembly:front"


class AwsSide(NamedTuple):
    """The further options of web processes, what runs beside them, and where all of it is."""

    layout: Layout
    web_options: list[str]
    companions: list[Companion]
    server: AwsServer

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Tells in the data folder where the server is, until it ends."""
        announce(self.layout, self.server)
        try:
            yield
        finally:
            withdraw(self.layout, self.server.pid)


def aws_side(data: Path, url: str, *, region: str, account: str, access: bool) -> AwsSide:
    """The AWS side of a server; raises :class:`SetupError` where something that it needs is not installed."""
    if not re.fullmatch(r"\d{12}", account):
        raise InputError(f"--account {account!r} is no account", hint="give twelve digits, such as 123456789012")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise InputError(f"--region {region!r} is no region", hint="give one of AWS, such as us-east-1")
    layout, here, elsewhere = Layout(data), reachable(url), s3_endpoint(region)
    companions = [identity_companion(data, here)]
    further = {"region": region, "account": account, "endpoint_url": here, "s3_endpoint": elsewhere}
    if not elsewhere:
        companions.append(s3_companion())
        further["s3"] = address(companions[-1])
    server = AwsServer(os.getpid(), here, region, account, address(companions[0]), access, elsewhere)
    options = ["--front", _FRONT, "--front-options", json.dumps(further)]
    return AwsSide(layout, options, companions, server)


def reachable(url: str) -> str:
    """The address by which this machine reaches a server that listens on all of its addresses.

    >>> reachable("http://0.0.0.0:8080"), reachable("http://[::]:8080"), reachable("https://monitor.example:443")
    ('http://127.0.0.1:8080', 'http://[::1]:8080', 'https://monitor.example:443')
    """
    parts = urlsplit(url)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(parts.hostname or "")  # noqa: S104 - compared, not listened on
    return f"{parts.scheme}://{host}:{parts.port}" if host else url
