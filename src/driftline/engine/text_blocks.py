"""A file of text in blocks of some megabytes, cut between its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from driftline.core.errors import InputError

BREAKS = b"\r\n"
_BLOCK = 16 << 20
_LONGEST_ROW = 256 << 20
_MARK = b"\xef\xbb\xbf"


def end_of_lines(data: bytes) -> int:
    """Where the last whole line ends, 0 where none does."""
    return data.rfind(b"\n") + 1


def text_blocks(path: str, end_of_rows: Callable[[bytes], int] = end_of_lines) -> Iterator[bytes]:
    """The file without a byte order mark, as blocks of whole rows; ``end_of_rows`` says where the last one ends.

    Raises :class:`InputError` with file and line for a row of more than 256 MB, and for a file that cannot be read.
    """
    try:
        yield from _blocks(path, end_of_rows)
    except OSError as error:
        evidence = f"{type(error).__name__}: {error.strerror or error}"
        raise InputError(f"{path} cannot be read", evidence=evidence, hint="check the path and its rights") from None


def _blocks(path: str, end_of_rows: Callable[[bytes], int]) -> Iterator[bytes]:
    lines = 0
    with Path(path).open("rb") as file:
        kept = file.read(len(_MARK)).removeprefix(_MARK)
        kept += file.read(_BLOCK)
        # Only where more comes is a block cut: the last row may have no end.
        while chunk := file.read(_BLOCK):
            end = end_of_rows(kept)
            if end:
                yield kept[:end]
                lines += kept.count(b"\n", 0, end)
                kept = kept[end:]
            elif len(kept) > _LONGEST_ROW:
                raise InputError(
                    f"{path}:{lines + 1}: a row of more than {_LONGEST_ROW >> 20} MB",
                    hint="is a quote never closed? A quote inside a quoted cell is written twice",
                )
            kept += chunk
    if kept.rstrip(BREAKS):
        yield kept


def checked_text(data: bytes, file: str, lines: int) -> str:
    """The text of bytes that stand behind so many lines; raises :class:`InputError` where they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = lines + 1 + data.count(b"\n", 0, error.start)
        raise InputError(
            f"{file}:{line}: not UTF-8 text",
            evidence=f"byte {data[error.start]:#04x}: {error.reason}",
            hint="save the file as UTF-8",
        ) from None
