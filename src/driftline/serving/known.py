"""The endpoints as they were last seen, in a file: what a serving process knows that starts while the database is away.

There is nothing secret in it, and nothing of tokens: who asks cannot be checked without the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.errors import SetupError
from driftline.serving.endpoints import EndpointConfig
from driftline.storage.files import write_atomic


class _Known(msgspec.Struct, frozen=True):
    endpoints: tuple[EndpointConfig, ...]


def remember(path: Path, data: Path, endpoints: Sequence[EndpointConfig]) -> None:
    """Write down what is served, if it is not what the file says already: whole or not at all.

    ``data`` is the data folder; models in it are named relative to it, so that it may be moved. Raises
    :class:`SetupError` on a full disk.
    """
    moved = tuple(msgspec.structs.replace(one, model=_below(one.model, data)) for one in endpoints)
    content = msgspec.json.encode(_Known(moved), enc_hook=str)
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    write_atomic(path, content)


def recall(path: Path, data: Path) -> list[EndpointConfig]:
    """What was served when the file was written. Raises :class:`SetupError` where it cannot be read."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Known, dec_hook=_path)
    except (OSError, msgspec.MsgspecError) as error:
        raise SetupError(
            "the endpoints that were served last cannot be read",
            evidence=f"{path}: {type(error).__name__}: {error}"[:300],
            hint="wait for the database: the file is written anew then",
        ) from None
    return [msgspec.structs.replace(one, model=one.model and data / one.model) for one in found.endpoints]


def _path(kind: type[Any], value: Any) -> Any:
    """What JSON knows as text only."""
    return Path(value)


def _below(model: Path | None, data: Path) -> Path | None:
    return model.relative_to(data) if model is not None and model.is_relative_to(data) else model
