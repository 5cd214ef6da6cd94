"""Manifests of batch data: a JSON list whose first element names a prefix and whose others name files below it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from driftline.core.errors import InputError

_HEAD = 4096
_LARGEST = 64 << 20


def is_manifest(path: str | Path) -> bool:
    """Whether a file is a manifest: ``.manifest``, or ``.json`` with a list whose first element has a prefix."""
    file = Path(path)
    if file.suffix.lower() not in (".json", ".manifest"):
        return False
    with file.open("rb") as content:
        head = content.read(_HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    inside = head[1:].lstrip()
    return file.suffix.lower() == ".manifest" or (head[:1] == b"[" and inside[:1] == b"{" and b'"prefix"' in inside)


def manifest_files(path: str | Path) -> list[str]:
    """The files that a manifest names, in its order. A relative prefix is below the manifest's own folder.

    Raises :class:`InputError` for a manifest of another shape, one that names a bucket, and files that are not there.
    """
    file = Path(path)
    prefix, names = _parts(file)
    prefix = prefix.removeprefix("file://")
    if "://" in prefix:
        hint = "copy the files here and write a manifest with a local prefix"
        raise InputError(
            f"manifest {file} names files that are elsewhere", evidence=f"prefix {prefix[:200]}", hint=hint
        )
    found = [str(file.parent / (prefix + name)) for name in names]
    absent = [name for name in found if not Path(name).is_file()]
    if absent:
        raise InputError(
            f"manifest {file} names {len(absent)} files that are not there",
            evidence=", ".join(absent[:3])[:300],
            hint="check the prefix; the names are put behind it as they are",
        )
    return found


def _parts(file: Path) -> tuple[str, list[str]]:
    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"manifest {file} is larger than {_LARGEST >> 20} MB", hint="split it")
        first, *names = msgspec.json.decode(file.read_bytes())
        prefix = first["prefix"]
        if isinstance(prefix, str) and all(isinstance(name, str) for name in names):
            return prefix, names
        evidence = "a prefix or a name is no text"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, TypeError, KeyError) as error:
        evidence = f"{type(error).__name__}: {error}"[:200]
    hint = 'write [{"prefix": "/folder/"}, "a.csv", "b.csv"]'
    raise InputError(f"{file} is no manifest", evidence=evidence, hint=hint)
