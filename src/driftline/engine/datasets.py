"""Tables without an endpoint as typed batches: a file, a folder of them, a manifest, or whatever exports Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from driftline.core.errors import InputError
from driftline.core.window import Window
from driftline.engine.batches import gathered, row_groups, table_rows
from driftline.engine.files import list_files
from driftline.engine.manifests import is_manifest, manifest_files
from driftline.engine.rejects import SAMPLES, Reject
from driftline.engine.spark.frames import frame_of

if TYPE_CHECKING:
    from driftline.engine.csv_files import CsvFile
    from driftline.engine.json_files import JsonFile

T = TypeVar("T")
KINDS = {".csv": "CSV", ".jsonl": "JSON lines", ".ndjson": "JSON lines", ".json": "JSON lines", ".parquet": "Parquet"}
_TABLES = ("__arrow_c_stream__", "__arrow_c_array__", "mapInArrow")
_HINT = f"use files ending in {', '.join(KINDS)}"


class Dataset:
    """A table as batches whose every column is a feature; it may be read again and again, a stream only once.

    ``data`` is the path of a CSV, JSON-lines or Parquet file, of a folder of files of one kind, or of a manifest (a
    JSON list: ``{"prefix": …}`` and names below it); or a table that exports an Arrow stream (pandas, Polars, DuckDB,
    pyarrow); or a data frame of Spark, which is ``frame`` then and is measured where it is. Of a folder with hours
    (``yyyy/mm/dd/hh``) only those in ``window`` are read.

    CSV: ``header`` says whether files begin with names; None looks at each. ``names`` are used where there is no header
    and as many columns. Values of CSV and JSON are typed as :func:`driftline.engine.texts.typed` says, batch by batch;
    columns of Parquet and Arrow stay as they are. Batches may differ in their columns.

    Raises :class:`InputError` naming the file for one that is missing, of no known kind or cannot be read.
    """

    def __init__(
        self,
        data: Any,
        *,
        header: bool | None = None,
        names: Sequence[str] = (),
        window: Window | None = None,
    ) -> None:
        self._data = data
        self._header = header
        self._names = tuple(names)
        self._rejects: list[Reject] = []
        self.files: tuple[str, ...] = ()
        self.kind = "Arrow"
        self.frame = frame_of(data)
        if isinstance(data, str | Path):
            self.files = tuple(_files(Path(data), window))
            self.kind = _kind(self.files, data)
        elif not any(map(partial(hasattr, data), _TABLES)):
            raise InputError(
                f"a {type(data).__name__} is no table",
                hint="give a path, or a table that exports Arrow: pandas 2.2, Polars, DuckDB, pyarrow, Spark",
            )

    def fold(
        self,
        measure: Callable[[Iterator[pa.RecordBatch], int], T],
        merge: Callable[[Sequence[T]], T],
        save: Callable[[T], bytes],
        load: Callable[[bytes], T],
        *,
        numbered: bool = False,
    ) -> T:
        """What ``measure`` makes of all batches, of which it is told how many rows are before the first: here, or of a
        data frame part by part on executors, as :meth:`driftline.engine.spark.frames.Frame.fold` says."""
        if self.frame is None:
            return measure(self.batches(), 0)
        parts = self.frame.fold
        return parts(lambda some, first: measure(_together(some), first), merge, save, load, numbered=numbered)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, at most 131,072 a batch and fewer where the table is wide; of files in path order."""
        self._rejects = []
        if self.kind == "Arrow":
            yield from _arrow_batches(self._data if self.frame is None else self.frame.whole())
            return
        for path in self.files:
            if self.kind == "Parquet":
                yield from _parquet_batches(path)
                continue
            file = self._text_file(path)
            yield from file.batches()
            self._rejects += file.rejects()

    def rows(self) -> int:
        """How many rows there are, where that is known without reading them; else 0."""
        if self.kind == "Arrow":
            return int(getattr(self._data, "num_rows", 0)) if isinstance(self._data, pa.Table | pa.RecordBatch) else 0
        return sum(map(_parquet_rows, self.files)) if self.kind == "Parquet" else 0

    def rejects(self) -> tuple[Reject, ...]:
        """Lines that could not be used, with samples, once :meth:`batches` has come to its end."""
        found: dict[str, list[Reject]] = {}
        for reject in self._rejects:
            found.setdefault(reject.reason, []).append(reject)
        return tuple(_joined(reason, rejects) for reason, rejects in sorted(found.items()))

    def _text_file(self, path: str) -> CsvFile | JsonFile:
        # What reads one kind of files need not be loaded for another: JSON needs a database.
        if self.kind == "JSON lines":
            from driftline.engine.json_files import JsonFile

            return JsonFile(path)
        from driftline.engine.csv_files import CsvFile

        return CsvFile(path, header=self._header, names=self._names)


def _files(path: Path, window: Window | None) -> list[str]:
    if not path.exists():
        raise InputError(f"no file or folder {path}", hint="check the path")
    if path.is_file():
        return manifest_files(path) if is_manifest(path) else [str(path)]
    listed = [name for name in list_files(path, window, "") if Path(name).name[0] not in "._"]
    found = [file for name in listed for file in (manifest_files(name) if is_manifest(name) else [name])]
    if not found and window is None:
        raise InputError(f"folder {path} holds no files", hint=_HINT)
    return found


def _kind(files: Sequence[str], data: str | Path) -> str:
    """The one kind of all files; of none, in a window without data, it does not matter."""
    kinds = {KINDS.get(Path(file).suffix.lower(), ""): file for file in files}
    if "" in kinds:
        raise InputError(f"{kinds['']} is of no known kind", hint=_HINT)
    if len(kinds) > 1:
        raise InputError(
            f"{data} holds files of several kinds",
            evidence=", ".join(f"{file} ({kind})" for kind, file in kinds.items())[:300],
            hint="give a folder of one kind of files",
        )
    return next(iter(kinds), "CSV")


def _parquet_rows(path: str) -> int:
    from pyarrow import parquet

    try:
        return int(parquet.read_metadata(path).num_rows)
    except (pa.ArrowInvalid, OSError):
        return 0  # whoever reads it says what is wrong


def _parquet_batches(path: str) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            yield from map(_plain, row_groups(file, table_rows(len(file.schema_arrow))))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        evidence = str(error).splitlines()[0][:300]
        raise InputError(f"{path} cannot be read as Parquet", evidence=evidence, hint="is the file whole?") from None


def _arrow_batches(data: Any) -> Iterator[pa.RecordBatch]:
    try:
        if not hasattr(data, "__arrow_c_stream__"):
            batches: Iterator[pa.RecordBatch] = iter([pa.record_batch(data)])
        else:
            batches = iter(pa.RecordBatchReader.from_stream(data))
        for batch in batches:
            plain = _plain(batch)
            most = table_rows(batch.num_columns)
            yield from (plain.slice(first, most) for first in range(0, batch.num_rows, most))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        evidence = str(error).splitlines()[0][:300]
        hint = "give every column one type, such as text"
        raise InputError(f"the {type(data).__name__} cannot be read", evidence=evidence, hint=hint) from None


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches of a part of a data frame as those of other tables are: Spark's are small."""
    plain = map(_plain, batches)
    first = next(plain, None)
    return iter(()) if first is None else gathered(chain([first], plain), table_rows(first.num_columns))


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without what only its maker needs: an index of pandas, views on texts, structs in one column."""
    kept = [place for place, name in enumerate(batch.schema.names) if not name.startswith("__index_level_")]
    found = batch if len(kept) == batch.num_columns else batch.select(kept)
    views = {place: field for place, field in enumerate(found.schema) if field.type == pa.string_view()}
    for place, field in views.items():
        found = found.set_column(place, field.name, found.column(place).cast(pa.string()))
    while any(pa.types.is_struct(field.type) for field in found.schema):
        found = _flattened(found)
    return found


def _flattened(batch: pa.RecordBatch) -> pa.RecordBatch:
    table = pa.Table.from_batches([batch]).flatten().combine_chunks()
    return table.to_batches()[0] if batch.num_rows else pa.RecordBatch.from_pylist([], schema=table.schema)


def _joined(reason: str, rejects: list[Reject]) -> Reject:
    samples = tuple(sample for reject in rejects for sample in reject.samples)[:SAMPLES]
    source = rejects[0].source if len(rejects) == 1 else f"{len(rejects)} files"
    return Reject(source, reason, sum(reject.count for reject in rejects), samples)
