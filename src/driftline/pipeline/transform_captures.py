"""What batch transforms captured, as capture records: every monitor reads them as it reads an endpoint's.

A transform captures no records, only manifests that name the objects that went in and came out. Of each hour's
manifests one file of records is made below the data folder's ``cache/``, under a name that depends on the objects, so
that an hour is converted again only when they change. The folder may be deleted at any time.

Which side is read depends on the monitor: columns of data (data quality, attributions) are those that went in, since
the baselines of batches are made of inputs; predictions (model quality, bias) are in what came out, with the columns
that went in beside them where both files have as many rows. Where no inputs were captured, what came out is read.

An id and a time that the transform appended belong to the record and are taken off a row of CSV, so that columns are
counted as they stand in the file. A time outside the manifest's hour becomes the beginning of that hour: a manifest
that was copied to another hour counts there, and every row belongs to an hour that its manifest lies in. An object that
several hours of a window name, copied or written anew by every job, counts once, in the first of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from driftline.core.uris import ObjectUri, object_uri
from driftline.core.window import Window, partition
from driftline.engine.csv_blocks import joined_lines
from driftline.engine.payload.documents import Documents
from driftline.pipeline.run import DataQualityRun, ProgramRun, Run
from driftline.pipeline.transform_rows import Appended, Rows, appended, record_sql, rows_of
from driftline.pipeline.transform_source import TransformSource
from driftline.resources.baseline_jobs import TableFormat
from driftline.serving.transform.captured import INPUT, OUTPUT, read_manifest
from driftline.storage.files import write_atomic
from driftline.storage.objects import ObjectInfo, Objects, absent

_VARIANT = "AllTraffic"
_SUFFIX = ".out"


class _File(msgspec.Struct, frozen=True):
    """An object that a manifest names; ``called`` is how an input and its answer are found to belong together."""

    manifest: str
    called: str
    info: ObjectInfo


def convert(objects: Objects, source: TransformSource, folder: Path, window: Window) -> tuple[str, ...]:
    """Make the records of every hour of a window; the names of the columns that went in, where a header tells them.

    ``folder`` is where captures are to be; below it stands the variant, then the hours.

    Raises :class:`NotFoundError` for an object that a manifest names and that is not there, :class:`InputError` naming
    the file for what cannot be read.
    """
    names: tuple[str, ...] = ()
    (folder / _VARIANT).mkdir(parents=True, exist_ok=True)
    seen: set[ObjectUri] = set()
    for hour in window.hours():
        names = _hour(objects, source, hour, folder / _VARIANT / partition(hour), seen) or names
    return names


def _hour(
    objects: Objects, source: TransformSource, hour: datetime, folder: Path, seen: set[ObjectUri]
) -> tuple[str, ...]:
    read, beside = _chosen(objects, source, hour)
    fresh = [file for file in read if file.info.uri not in seen]
    seen.update(file.info.uri for file in fresh)
    if not fresh:
        _remove_others(folder, ())
        return ()
    mark = _mark([*fresh, *(beside or ())])
    target, told = folder / f"{mark}.jsonl", folder / f"{mark}.names"
    if not target.exists() or not told.exists():
        with closing(Documents()) as json:
            blocks, names = _Hour(objects, json, source.format, hour).records(fresh, beside)
        write_atomic(told, msgspec.json.encode(names))
        write_atomic(target, b"".join(blocks))
    _remove_others(folder, (target.name, told.name))
    return msgspec.json.decode(told.read_bytes(), type=tuple[str, ...])


def _chosen(objects: Objects, source: TransformSource, hour: datetime) -> tuple[list[_File], list[_File] | None]:
    """The objects of an hour whose rows are records: what went in, or what came out with what went in beside it."""
    entered = _files(objects, source, INPUT, hour)
    if source.side == INPUT and entered:
        return entered, None
    return _files(objects, source, OUTPUT, hour), entered


def _remove_others(folder: Path, kept: tuple[str, ...]) -> None:
    """What was made of objects as they were before."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in kept and not path.name.startswith("."):
            with suppress(FileNotFoundError):
                path.unlink()


def _files(objects: Objects, source: TransformSource, side: str, hour: datetime) -> list[_File]:
    """The objects that the hour's manifests of a side name, each once."""
    found: dict[ObjectUri, _File] = {}
    for info in objects.listing(object_uri(source.uri) / f"{side}/{partition(hour)}/"):
        listed = read_manifest(objects.read(info.uri), str(info.uri))
        stem = info.uri.key.rpartition("/")[2]
        base = listed.prefix.rpartition("/")[2]
        for name, uri in zip(listed.names, listed.uris, strict=True):
            found.setdefault(uri, _File(stem, name or base, _info(objects, uri)))
    return list(found.values())


def _info(objects: Objects, uri: ObjectUri) -> ObjectInfo:
    """The size and the time of one object."""
    for info in objects.listing(uri):
        if info.uri == uri:
            return info
    raise absent(uri)


def _mark(files: Iterable[_File]) -> str:
    seen = sorted((str(file.info.uri), file.info.size, file.info.modified.isoformat()) for file in files)
    return hashlib.blake2b(msgspec.json.encode(seen), digest_size=12).hexdigest()


class _Hour:
    """Makes the records of one hour."""

    def __init__(self, objects: Objects, json: Documents, form: TableFormat, hour: datetime) -> None:
        self._objects, self._json, self._format, self._hour = objects, json, form, hour
        self._names: tuple[str, ...] = ()

    def records(self, read: list[_File], beside: list[_File] | None) -> tuple[list[bytes], tuple[str, ...]]:
        """Blocks of records, and the names of the columns that went in."""
        if beside is None:
            blocks = [self._block(file, self._inputs(file), None) for file in read]
        else:
            blocks = [self._answered(file, one) for file, one in _paired(beside, read)]
        return blocks, self._names

    def _inputs(self, file: _File) -> Rows:
        rows = self._rows(file)
        if self._format.kind == "csv" and self._format.header:
            rows = rows.without_header()
            self._names = self._names or rows.header
        return rows

    def _rows(self, file: _File) -> Rows:
        return rows_of(self._json, self._objects.read(file.info.uri), self._format, str(file.info.uri))

    def _answered(self, written: _File, entered: _File | None) -> bytes:
        answers, inputs = self._rows(written), None if entered is None else self._inputs(entered)
        if inputs is not None and inputs.header and len(answers.texts) == len(inputs.texts) + 1:
            answers = answers.without_header()
        if inputs is not None and len(inputs.texts) != len(answers.texts):
            inputs = None  # rows that cannot be told to belong together are not put together
        return self._block(written, inputs, appended(self._json, answers.texts, self._format))

    def _block(self, file: _File, inputs: Rows | None, answers: Appended | None) -> bytes:
        rows = len(inputs.texts) if inputs is not None else len(answers.rows) if answers is not None else 0
        if not rows:
            return b""
        nothing = pa.nulls(rows, pa.string())
        columns = {
            "i": nothing if inputs is None else inputs.texts,
            "o": nothing if answers is None else answers.rows,
            "id": nothing if answers is None else answers.ids,
            "t": nothing if answers is None else answers.times,
            "n": pa.array(np.arange(rows)),
        }
        mark = hashlib.blake2b(str(file.info.uri).encode(), digest_size=8).hexdigest()
        made = self._json.evaluate_table(columns, record=record_sql(self._hour, self._format, mark))["record"]
        return bytes(joined_lines(made)) + b"\n"


def _paired(entered: list[_File], written: list[_File]) -> Iterator[tuple[_File, _File | None]]:
    """Every answer with what went in: by the names of both in manifests of one name, else by their names alone."""
    by_name = {file.called: file for file in entered}
    by_manifest = {(file.manifest, file.called): file for file in entered}
    for file in written:
        called = file.called.removesuffix(_SUFFIX)
        yield file, by_manifest.get((file.manifest, called)) or by_name.get(called)


def with_captures(objects: Objects, run: Run) -> Run:
    """A run whose captures are there; where a header names the columns and the schedule does not, with their names."""
    if run.transform is None or run.window is None:
        return run
    names = convert(objects, run.transform, Path(run.captures), run.window)
    if not names or isinstance(run, ProgramRun) or run.names:
        return run
    if isinstance(run, DataQualityRun):
        return msgspec.structs.replace(run, names=names)
    return msgspec.structs.replace(run, names=names, names_of_inputs=True)
