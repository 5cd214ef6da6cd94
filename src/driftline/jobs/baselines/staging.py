"""Objects as files of a folder, so that whatever reads files can read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from driftline.core.errors import DriftlineError, InputError, NotFoundError
from driftline.core.uris import ObjectUri, object_uri
from driftline.resources.baseline_jobs import TableFormat
from driftline.storage.files import write_atomic
from driftline.storage.objects import Objects

_SUFFIXES = {"csv": ".csv", "json": ".jsonl", "parquet": ".parquet"}


def staged_dataset(objects: Objects, uri: str, wanted: TableFormat, folder: Path) -> Path:
    """The objects of a dataset as files of ``folder``, whose suffix tells their format; the folder.

    ``uri`` is an object, or the beginning of the keys of many. Raises :class:`InputError` where there is none.
    """
    found = _found(objects, object_uri(uri))
    if not found:
        raise _nothing(uri)
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(found):
        path = folder / f"{number:06d}{_SUFFIXES[wanted.kind]}"
        if wanted.kind == "json" and not wanted.lines:
            write_atomic(path, _as_lines(objects.read(one), str(one)))
        else:
            _stage(objects, one, path)
    return folder


def staged_file(objects: Objects, uri: str, path: Path) -> Path:
    """An object as the file ``path``; its path. Where ``uri`` is a prefix with one object, that is meant.

    Raises :class:`InputError` where there is none, or several.
    """
    found = _found(objects, object_uri(uri))
    if not found:
        raise _nothing(uri)
    if len(found) > 1:
        raise InputError(f"{uri} is no single object", evidence=f"{len(found)} objects", hint="name the object itself")
    path.parent.mkdir(parents=True, exist_ok=True)
    _stage(objects, found[0], path)
    return path


def named_by_uris(error: DriftlineError, objects: Objects, uri: str, folder: Path) -> None:
    """Let an error about the files that ``uri`` was staged as in ``folder`` name the objects instead: the files are
    gone when it is read, and their names are nobody's."""
    names = {f"{number:06d}": str(one) for number, one in enumerate(_found(objects, object_uri(uri)))}
    file = re.compile(re.escape(str(folder)) + r"(?:/(\d{6})\.[a-z]+)?")
    error.what, error.evidence, error.hint = (
        file.sub(lambda found: names.get(found[1], uri), part) for part in (error.what, error.evidence, error.hint)
    )


def _found(objects: Objects, uri: ObjectUri) -> list[ObjectUri]:
    """The object of this key, else those below it, else those whose key begins so; none that only mark a state."""
    listed = [one.uri for one in objects.listing(uri) if not one.uri.key.endswith("/")]
    if uri in listed:
        return [uri]
    below = [one for one in listed if one.key.startswith(f"{uri.key.rstrip('/')}/")] if uri.key else listed
    return [one for one in below or listed if one.key.rpartition("/")[2][:1] not in "._"]


def _stage(objects: Objects, uri: ObjectUri, path: Path) -> None:
    """Where the object is a file already, a link to it costs nothing."""
    file = objects.folder(uri)
    if file is not None and file.is_file():
        path.symlink_to(file.resolve())
        return
    try:
        objects.fetch(uri, path)
    except NotFoundError:
        raise _nothing(str(uri)) from None


def _as_lines(content: bytes, name: str) -> bytes:
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        hint = "is it JSON lines? then say so in the format"
        raise InputError(f"{name} is no JSON document", evidence=str(error)[:200], hint=hint) from None
    records = document if isinstance(document, list) else [document]
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def _nothing(uri: str) -> InputError:
    return InputError(
        f'No S3 objects found under S3 URL "{uri}" given in input data source',
        hint="see that the bucket exists in the region you selected, and upload the objects under that URL",
    )
