"""Keys of a data folder that must be the same on all nodes: agreed on through the database, kept in the folder too."""

from __future__ import annotations

import hmac
import secrets
from functools import partial
from pathlib import Path

from driftline.core.errors import SetupError
from driftline.storage.capture_key import KEY_BYTES, keep, read
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.secrets import agreed


def agree(store: Store, layout: Layout) -> None:
    """Have the keys that all nodes have. A folder's own key is offered first; who comes first settles it.

    Raises :class:`SetupError` where this folder has another key than the nodes agreed on: values that it hid before
    would not be recognised in what the others hide.
    """
    for path, use in _keys(layout).items():
        ours = read(path) if path.exists() else None
        with store.write() as connection:
            found = agreed(connection, path.name, partial(_offer, ours))
        if ours is None:
            keep(path, found)
        if not hmac.compare_digest(read(path), found):
            raise SetupError(
                f"{path} is another key than the nodes of this database agreed on",
                evidence=f"it is the key {use}",
                hint="if nothing was made with it that is still needed, move the file away and start again: the agreed"
                " one takes its place; else give this folder a database of its own",
            )


def _offer(ours: bytes | None) -> bytes:
    return ours or secrets.token_bytes(KEY_BYTES)


def _keys(layout: Layout) -> dict[Path, str]:
    return {
        layout.capture_key: "with which sensitive values are hashed",
        layout.access_key: "from which the secrets of access keys are made",
        layout.s3_key: "of the S3 server beside the web processes",
    }
