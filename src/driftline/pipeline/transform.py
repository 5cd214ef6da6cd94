"""A batch transform: every object of a bucket that is asked for, through a model, into another."""

from __future__ import annotations

import gzip
import zlib
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from driftline.core.errors import InputError
from driftline.core.uris import ObjectUri, object_uri
from driftline.pipeline.steps import Progress
from driftline.resources.transforms import TransformResult, TransformSettings
from driftline.serving.runtime import load_model
from driftline.serving.transform.captured import INPUT, OUTPUT, Listed, manifest_of, manifest_uri, read_manifest
from driftline.serving.transform.files import Transformer
from driftline.storage.objects import Objects

SUFFIX = ".out"


def run_transform(
    objects: Objects, data: Path, settings: TransformSettings, *, now: datetime, progress: Progress | None = None
) -> TransformResult:
    """Answer every object that the settings ask for; ``data`` is the folder that the model's path is relative to.

    Manifests are written last, when all answers are there. Raises :class:`InputError` naming the object and the line
    of what cannot be answered, and for settings that do not go together.
    """
    transformer = Transformer(load_model(data / settings.model_path), settings, now)
    listed = _listed(objects, settings)
    records = 0
    for done, (uri, name) in enumerate(zip(listed.uris, _answers(listed), strict=True)):
        if progress is not None:
            progress("transform", 100 * done / len(listed.names), 100, "%")
        found = transformer.file(_content(objects, uri, settings), str(uri))
        objects.write(object_uri(settings.output) / name, found.content)
        records += found.records
    return TransformResult(len(listed.names), records, _captured(objects, settings, listed, now))


def _listed(objects: Objects, settings: TransformSettings) -> Listed:
    """The objects to answer; the names behind the prefix are those that answers are named after."""
    uri = object_uri(settings.input)
    if settings.manifest:
        return read_manifest(objects.read(uri), settings.input)
    found = [one.uri.key for one in objects.listing(uri) if one.size and not one.uri.key.endswith("/")]
    if not found:
        hint = "upload the objects first, or correct the input"
        raise InputError(f"nothing lies at {settings.input}", hint=hint)
    if found == [uri.key]:
        return Listed(str(uri), ("",))
    folder = uri.key if uri.key.endswith("/") else _folder(uri.key, found)
    return Listed(str(uri.at(folder)), tuple(key.removeprefix(folder) for key in found))


def _folder(prefix: str, keys: list[str]) -> str:
    """The folder that a prefix means: itself where everything lies below it, else the one that it stands in."""
    inside = all(key.startswith(f"{prefix}/") for key in keys)
    return f"{prefix}/" if inside and prefix else prefix.rpartition("/")[0] + "/" * ("/" in prefix)


def _answers(listed: Listed) -> list[str]:
    """How the answers are called below the output."""
    base = listed.prefix.rpartition("/")[2]
    return [(name or base) + SUFFIX for name in listed.names]


def _content(objects: Objects, uri: ObjectUri, settings: TransformSettings) -> bytes:
    content = objects.read(uri)
    if not settings.gzip:
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        hint = "compress it with gzip, or ask for no decompression"
        raise InputError(f"{uri} is not compressed as was said", evidence=str(error), hint=hint) from None


def _captured(objects: Objects, settings: TransformSettings, listed: Listed, now: datetime) -> tuple[str, ...]:
    if not settings.capture:
        return ()
    output = str(object_uri(settings.output)).rstrip("/") + "/"
    name, written = str(uuid4()), []
    for side, content in (
        (INPUT, manifest_of(listed.prefix, listed.names)),
        (OUTPUT, manifest_of(output, _answers(listed))),
    ):
        uri = manifest_uri(settings.capture, side, now, name)
        objects.write(uri, content)
        written.append(str(uri))
    return tuple(written)
