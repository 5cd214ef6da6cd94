"""The model inside a ``model.tar.gz``, read in memory: nothing is ever extracted to disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

from driftline.core.errors import ModelError, TooLargeError

_Read = TypeVar("_Read")
MAX_MEMBERS = 1_000
MAX_BYTES = 2 << 30
MAX_RATIO = 200
# Below this size a high ratio is harmless: a tar of one tiny file is nearly all padding.
_RATIO_FREE = 8 << 20
_SUFFIXES = (".ubj", ".json", ".model", ".bin", ".deprecated", ".bst", ".xgb", ".pkl", ".txt", ".onnx", ".skops")
_HINT = "pack the model file alone: tar czf model.tar.gz MODEL"


class Member(NamedTuple):
    """One file of an archive: its name inside it, and its bytes."""

    name: str
    data: bytes


def is_archive(data: bytes) -> bool:
    """Whether the bytes begin like a gzip stream or a tar header."""
    return data[:2] == b"\x1f\x8b" or data[257:262] == b"ustar"


def model_member(
    data: bytes,
    source: str,
    *,
    max_members: int = MAX_MEMBERS,
    max_bytes: int = MAX_BYTES,
    max_ratio: int = MAX_RATIO,
) -> Member:
    """The model file of a tar archive, plain or gzipped, given as bytes.

    ``source`` names the archive in messages; ``max_bytes`` bounds what is unpacked, ``max_ratio`` how many times
    larger than the archive that may be. Only regular files count; links, devices, hidden files and the ``code``
    folder are passed over. Raises :class:`ModelError` for an archive that is broken, holds an absolute path or a
    ``..``, or holds no single best candidate, and :class:`TooLargeError` for one beyond a limit.
    """
    limit = min(max_bytes, max(_RATIO_FREE, len(data) * max_ratio))
    return _reading(data, limit, source, lambda archive: _best(archive, source, max_members))


def unpacked(data: bytes, source: str) -> dict[str, bytes]:
    """Every regular file of a tar archive by its path, within the limits of :func:`model_member`."""
    limit = min(MAX_BYTES, max(_RATIO_FREE, len(data) * MAX_RATIO))
    return _reading(data, limit, source, lambda archive: _files(archive, source))


def _reading(data: bytes, limit: int, source: str, read: Callable[[tarfile.TarFile], _Read]) -> _Read:
    stream = _Bounded(_opened(data), limit, source)
    try:
        with tarfile.open(fileobj=stream, mode="r|", errorlevel=2) as archive:
            return read(archive)
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, OverflowError) as error:
        raise ModelError(f"{source} is not a readable tar archive", evidence=str(error), hint=_HINT) from None


def _files(archive: tarfile.TarFile, source: str) -> dict[str, bytes]:
    found = {}
    for number, info in enumerate(archive):
        if number >= MAX_MEMBERS:
            raise _too_many(source, MAX_MEMBERS)
        path = _checked(info.name, source)
        if info.isreg() and not info.issparse():
            found[path.as_posix()] = _content(archive, info)
    return found


def _too_many(source: str, most: int) -> TooLargeError:
    return TooLargeError(f"{source} holds more than {most:,} files", hint=_HINT)


def _opened(data: bytes) -> gzip.GzipFile | io.BytesIO:
    raw = io.BytesIO(data)
    return gzip.GzipFile(fileobj=raw) if data[:2] == b"\x1f\x8b" else raw


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than ``limit`` bytes, however much a header claims."""

    def __init__(self, stream: gzip.GzipFile | io.BytesIO, limit: int, source: str) -> None:
        self._stream, self._left, self._source = stream, limit, source
        self._limit = limit

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        data = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError(
                f"{self._source} unpacks to more than {self._limit:,} bytes",
                hint="an archive this compressible is no model; pack the model file alone",
            )
        return data


def _best(archive: tarfile.TarFile, source: str, max_members: int) -> Member:
    found: list[tuple[int, Member]] = []
    passed: list[str] = []
    for number, info in enumerate(archive):
        if number >= max_members:
            raise _too_many(source, max_members)
        path = _checked(info.name, source)
        if info.isdir():
            continue
        rank = _rank(path)
        if rank is None or info.issparse() or not info.isreg():
            passed.append(info.name)
        elif not found or rank <= found[0][0]:
            member = Member(info.name, _content(archive, info))
            found = [entry for entry in found if entry[0] == rank] + [(rank, member)]
    if len(found) != 1:
        raise _unclear(source, [member.name for _, member in found], passed)
    return found[0][1]


def _checked(name: str, source: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise ModelError(
            f"{source} holds a file that points outside the archive", evidence=repr(name[:200]), hint=_HINT
        )
    return path


def _rank(path: PurePosixPath) -> int | None:
    """How much a member looks like the model: 0 is best; None is not a candidate at all."""
    if path.name.startswith(".") or "code" in path.parts[:-1]:
        return None
    if path.name == "xgboost-model":
        return 0
    if path.name.startswith("model."):
        return 1
    return 2 if path.suffix.lower() in _SUFFIXES else 3


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    handle = archive.extractfile(info)
    data = handle.read() if handle else b""
    if len(data) != info.size:
        raise tarfile.ReadError(f"{info.name} ends after {len(data)} of {info.size} bytes")
    return data


def _unclear(source: str, names: list[str], passed: list[str]) -> ModelError:
    if names:
        evidence = "candidates: " + ", ".join(sorted(names))[:300]
        return ModelError(f"{source} holds {len(names)} files that could be the model", evidence=evidence, hint=_HINT)
    evidence = "passed over (links, hidden files, code): " + ", ".join(passed)[:300] if passed else "no files"
    return ModelError(f"{source} holds no model file", evidence=evidence, hint=_HINT)
