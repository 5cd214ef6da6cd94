"""Which node a data folder is: its name among all that work on one database, and an id that no other folder has."""

from __future__ import annotations

import re
import secrets
import socket
from contextlib import suppress

import msgspec

from driftline.core.errors import SetupError
from driftline.storage.files import write_atomic, write_new
from driftline.storage.layout import Layout, check_name


class NodeFile(msgspec.Struct, frozen=True):
    """What ``DATA/node.json`` says. ``folder`` is made once, by chance; ``name`` may be changed."""

    name: str
    folder: str


def node_of(layout: Layout, name: str | None = None) -> NodeFile:
    """Who the node of a data folder is; with a name, from now on under that. A new one has the name of its host.

    Raises :class:`InputError` for what cannot be a name, :class:`SetupError` when the file cannot be used.
    """
    wanted = check_name(name, "node") if name else None
    found = _read(layout)
    if found is None:
        made = NodeFile(wanted or host_name(socket.gethostname()), secrets.token_hex(16))
        with suppress(FileExistsError):  # another process of this folder came first
            write_new(layout.node, msgspec.json.encode(made))
        found = _read(layout) or made
    if wanted is not None and found.name != wanted:
        found = NodeFile(wanted, found.folder)
        write_atomic(layout.node, msgspec.json.encode(found))
    return found


def host_name(host: str) -> str:
    """The name of a host as the name of a node.

    >>> host_name("web-1.example.org"), host_name("_odd name_"), host_name("")
    ('web-1.example.org', 'odd-name', 'node')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", host)[:63].strip("._-") or "node"


def _read(layout: Layout) -> NodeFile | None:
    try:
        return msgspec.json.decode(layout.node.read_bytes(), type=NodeFile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise SetupError(
            f"{layout.node} does not say which node this is",
            evidence=f"{type(error).__name__}: {error}"[:200],
            hint="correct its permissions, or remove it: the folder is then another node, and the old one is forgotten",
        ) from None
