"""What ``driftline doctor`` looks at in a data folder and its store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.cli.findings import Finding
from driftline.core.errors import DriftlineError

if TYPE_CHECKING:
    from driftline.service import Service

LOW_DISK = 1 << 30
MOST_SKEW = 5.0
"""Seconds by which two clocks may differ before windows and leases suffer."""
_SOON = timedelta(days=7)


def folder(data: Path) -> list[Finding]:
    """The data folder, its disk, its store, their clocks, and its tokens."""
    from driftline.service import Service
    from driftline.storage.database import database_of_environment

    if not data.exists():
        return [Finding("warning", f"there is no data folder {data}", f"driftline serve --data {data} makes it")]
    try:
        with Service(data, database=database_of_environment()) as service:
            looked = [_disk(data), *_shipping(data), _file_clock(data), _store_clock(service)]
            return [*looked, *_tokens(service), *_nodes(service)]
    except DriftlineError as error:
        return [Finding("wrong", error.what, error.hint)]


def _disk(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    room = f"{free / (1 << 30):.1f} GiB free"
    if free < LOW_DISK:
        hint = "free some: on a full disk predictions are answered but not captured"
        return Finding("warning", f"data folder {data}: {room}", hint)
    return Finding("ok", f"data folder {data} and its database can be used, {room}")


def _shipping(data: Path) -> Iterator[Finding]:
    """Why the spool of a node that ships does not drain."""
    from driftline.storage import spool
    from driftline.storage.layout import Layout

    said = spool.figures(Layout(data))
    if said is None:
        return
    room = f"{said.files} files with {said.bytes:,} bytes wait to be shipped"
    if said.trouble:
        yield Finding("wrong" if said.full else "warning", f"{room}: {said.trouble}", "they stay here until they are")
    else:
        yield Finding("ok", f"{room}, {said.shipped_bytes:,} bytes were shipped so far")


def _file_clock(data: Path) -> Finding:
    probe = data / "logs" / ".clock"
    probe.touch()
    written = probe.stat().st_mtime
    probe.unlink()
    return _clock("the file system", written - time.time())


def _store_clock(service: Service) -> Finding:
    from sqlalchemy import text

    queries = {
        "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
        "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    }
    query = queries[service.store.engine.dialect.name]
    with service.store.read() as connection:
        found = float(connection.execute(text(query)).scalar_one())
    return _clock("the store", found - time.time())


def _clock(whose: str, skew: float) -> Finding:
    if abs(skew) > MOST_SKEW:
        what = f"the clock of {whose} is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
        return Finding("wrong", what, "set both by NTP: windows, leases and tokens go by the time")
    return Finding("ok", f"the clock of {whose} agrees with this machine's")


def _nodes(service: Service) -> Iterator[Finding]:
    """Where several machines may work on one store: who they are, and whether any of them has a scheduler."""
    if not service.store.remote:
        return
    names = [f"{node.name} ({node.version})" for node in service.list_nodes()]
    yield Finding("ok", f"{len(names)} nodes work on this database: {', '.join(names) or 'none yet'}")
    check = service.any_scheduler()
    yield Finding("warning" if check.hint else "ok", check.message, check.hint)
    for node in service.list_nodes():
        if node.trouble:
            yield Finding("warning", f"node {node.name}: {node.trouble}", "see the log of that node")


def _tokens(service: Service) -> Iterator[Finding]:
    now = datetime.now(UTC)
    valid = [token for token in service.list_tokens() if token.valid(now)]
    admins = sum(token.role == "admin" for token in valid)
    yield Finding("ok", f"{len(valid)} valid tokens, {admins} of them of the role admin")
    for token in valid:
        if token.expires is not None and token.expires - now < _SOON:
            hint = f"make another and change over: driftline token create NAME --role {token.role}"
            yield Finding("warning", f"token {token.name} ends at {token.expires:%Y-%m-%d %H:%M} UTC", hint)
