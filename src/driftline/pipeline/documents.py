"""Writing what a run found: the service's three documents and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.storage.files import write_atomic


def write_documents(documents: dict[str, Any], folder: str | Path) -> list[Path]:
    """Write each document as ``NAME.json`` (bytes are its text already), and a text as it is under its own name;
    returns the paths in order."""
    paths = []
    for name, document in documents.items():
        path = Path(folder) / (name if isinstance(document, str) else f"{name}.json")
        text = document.encode() if isinstance(document, str) else document
        write_atomic(path, text if isinstance(text, bytes) else dump(text))
        paths.append(path)
    return paths


def content_of(given: str | Path | dict[str, Any]) -> tuple[bytes, str]:
    """The bytes of a document, from its path or its content, and what it is called in messages.

    Raises :class:`InputError` for a file that cannot be read.
    """
    if isinstance(given, dict):
        return dump(given), "the given document"
    try:
        return Path(given).read_bytes(), str(given)
    except OSError as error:
        raise InputError(f"{given} cannot be read", evidence=str(error.strerror), hint="check the path") from None


def called(data: Any, otherwise: str = "the table") -> str:
    """What data are called in messages."""
    return str(data) if isinstance(data, str | Path) else otherwise


def keep_log(folder: str | Path | None, name: str, text: str) -> None:
    """What code of others printed, beside the report; nothing where there is no report or nothing was printed."""
    if folder is not None and text:
        write_atomic(Path(folder) / name, text.encode())
