"""Captured records to typed batches: both sides decoded, paired row by row, and what could not be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.window import Window
from driftline.engine.ahead import ahead
from driftline.engine.batches import BATCH_ROWS, table_rows
from driftline.engine.locate import Locator
from driftline.engine.payload import records
from driftline.engine.payload.bodies import Bodies
from driftline.engine.payload.column_names import column_names, sides, sides_of
from driftline.engine.payload.pairing import Rows, paired
from driftline.engine.reading import SETTINGS, Found, read_files, times_of
from driftline.engine.sources import Sources

KEYS = ("id", "event", "row", "time")
_BYTES = 8 << 20
_WORKERS = 2
_AT_ONCE = 48 << 20
_SOURCES = {"output": "captured outputs", "input": "captured inputs", "record": "captures"}


class Reading(msgspec.Struct, frozen=True):
    """How bodies are read: names for columns that have none (outputs first, or inputs alone; with ``of_inputs`` inputs
    alone), and whether every CSV body of several lines begins with a line of names (None: looked for)."""

    names: tuple[str, ...] = ()
    header: bool | None = None
    of_inputs: bool = False


class Decoding:
    """The captured records of some files as typed batches. A context manager: iterate :meth:`batches` to the end, then
    ask :meth:`found`.

    Only records whose inference time is in ``window`` are read, each event once. What is read is held by a database of
    its own, in memory up to ``memory_limit`` (such as ``512MB``), beyond under ``spill``. ``watch`` is given every
    record as :meth:`driftline.engine.local.LocalEngine.load_captures` takes them: also those that cannot be used.
    Raises :class:`InputError` for a file that cannot be read; a record that cannot be decoded is counted and shown.
    """

    def __init__(
        self,
        files: Sequence[str],
        window: Window | None,
        reading: Reading | None = None,
        *,
        spill: str | None = None,
        memory_limit: str | None = None,
        threads: int | None = None,
        watch: Callable[[pa.RecordBatch], None] | None = None,
    ) -> None:
        wanted = {"temp_directory": spill, "memory_limit": memory_limit, "threads": threads}
        settings = SETTINGS | {name: value for name, value in wanted.items() if value is not None}
        self._db = duckdb.connect(":memory:", config=settings)
        self._db.execute("SET enable_progress_bar = false")
        for macro in records.MACROS:
            self._db.execute(macro)
        self._db.execute(records.SEEN)
        self._sources = Sources.of(files)
        self._refused: dict[str, int] = {}
        self._timed = window is not None
        self._parameters = times_of(window)
        self._reading = reading or Reading()
        self._bodies = Bodies(self._reading.header, self._reading.names, threads)
        self._faults: list[tuple[str, str, Any]] = []
        self._rows = self._records = self._repeated = 0
        self._found: Found | None = None
        self._watch = watch

    @property
    def undecided(self) -> bool:
        """Whether a first line of texts could be names or data, so that only the names given could tell."""
        return self._bodies.undecided

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bodies.close()
        self._db.close()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of at most 131,072 rows: the columns ``id`` (inference id, else event id), ``event``, ``row`` (its
        number in the request) and ``time``, then the features, see :func:`features`. Batches differ in their columns.
        """
        # Files are read while those before are decoded.
        loaded = ahead(self._loaded, self._sources.groups(_AT_ONCE), workers=1)
        parts = (part for some in loaded for part in some)
        for made, faults in ahead(self._decoded, parts, workers=_WORKERS):
            self._faults += faults
            for batch in made:
                self._rows += batch.num_rows
                yield batch
        self._found = self._summary()

    def found(self) -> Found:
        """Records read, rows decoded, repeated events left out, and what could not be used; after all batches."""
        if self._found is None:
            raise RuntimeError("found() is asked before the last batch was taken")
        return self._found

    def _loaded(self, sources: Sources) -> list[pa.RecordBatch]:
        self._load(sources)
        return list(self._parts())

    def _load(self, sources: Sources) -> None:
        """The records of some files, without those whose event was in the files before."""
        create = f"CREATE OR REPLACE TEMP TABLE records AS {records.record_rows(sources, timed=self._timed)}"
        parameters = self._parameters | sources.parameters()
        read_files(self._db, create, parameters)
        self._parameters["longest"] = max(self._parameters.get("longest", 0), parameters["longest"])
        if self._watch is not None:
            for batch in self._db.sql(records.WATCHED).to_arrow_reader(BATCH_ROWS):
                self._watch(batch)
        self._records += self._row("SELECT count(*) FROM records")[0]
        total, distinct = self._row("SELECT count(event_id), count(DISTINCT event) FROM records")
        if total != distinct:
            self._db.execute(records.ONCE)
            self._db.execute("DROP TABLE records; ALTER TABLE once RENAME TO records")
        if self._row(records.KNOWN)[0]:
            self._db.execute(records.FORGET)
        self._repeated += total - self._row("SELECT count(event_id) FROM records")[0]
        self._db.execute(records.REMEMBER)
        for reason, count in self._db.execute(records.FAULTS).fetchall():
            self._refused[reason] = self._refused.get(reason, 0) + count

    def _parts(self) -> Iterator[pa.RecordBatch]:
        """The usable records, some 8 MB at a time."""
        count, size = self._row(records.SIZES)
        rows = max(1, min(BATCH_ROWS, _BYTES * count // max(1, size)))
        for batch in self._db.sql(records.USABLE).to_arrow_reader(rows):
            yield from _by_size(batch)

    def _decoded(self, batch: pa.RecordBatch) -> tuple[list[pa.RecordBatch], list[tuple[str, str, Any]]]:
        """The rows of some records, and by side and reason the events that could not be decoded; for any thread."""
        output, entered = (self._bodies.decode(batch.column(f"{side}_kind"), batch.column(side)) for side in _SIDES)
        captured = tuple(batch.column(f"{side}_kind").is_valid().to_numpy(zero_copy_only=False) for side in _SIDES)
        found = paired(output, entered, (captured[0], captured[1]))
        made = [part for rows in found for part in self._assembled(batch, rows)]
        events = batch.column("event").to_numpy()
        faults = [
            ("record" if reason == "row_count" else name, reason, events[np.concatenate(requests)])
            for name, side in zip(_SIDES, (output, entered), strict=True)
            for reason, requests in side.faults.items()
        ]
        return made, faults

    def _assembled(self, batch: pa.RecordBatch, rows: Rows) -> Iterator[pa.RecordBatch]:
        layout = sides(rows)
        names = column_names(layout, self._reading.names, of_inputs=self._reading.of_inputs)
        columns = [column for part in (rows.output, rows.input) if part is not None for column in part.columns]
        request = rows.request
        starts = np.flatnonzero(np.diff(request, prepend=-1))
        row = np.arange(len(request)) - np.repeat(starts, np.diff(starts, append=len(request)))
        whole = len(request) == batch.num_rows and not row.any()
        chosen = batch.select(["id", "event_id", "moment"])
        chosen = chosen if whole else chosen.take(pa.array(request))
        keys = [chosen.column(0), chosen.column(1), pa.array(row), pc.assume_timezone(chosen.column(2), "UTC")]
        made = pa.RecordBatch.from_arrays([*keys, *columns], names=[*KEYS, *names], metadata=layout.metadata())
        most = table_rows(len(columns))
        yield from (made.slice(first, most) for first in range(0, made.num_rows, most))

    def _summary(self) -> Found:
        faults = partial(records.located_faults, timed=self._timed)
        rejects = self._locator("captures", faults).rejects(self._refused)
        if self._faults:
            self._keep_faults()
        for side, source in _SOURCES.items():
            counts: dict[str, int] = {}
            for found, reason, events in self._faults:
                if found == side:
                    counts[reason] = counts.get(reason, 0) + len(events)
            bodies = partial(records.located_bodies, side, timed=self._timed)
            rejects += self._locator(source, bodies).rejects(counts)
        return Found(self._records, self._rows, self._repeated, rejects)

    def _locator(self, source: str, query: Callable[[Sources], str]) -> Locator:
        return Locator(self._db, source, query, self._sources, self._parameters)

    def _keep_faults(self) -> None:
        parts = [
            pa.table({"side": [side] * len(events), "reason": [reason] * len(events), "event": events})
            for side, reason, events in self._faults
        ]
        faulty = pa.concat_tables(parts)
        self._db.register("faulty", faulty)

    def _row(self, query: str) -> tuple[int, ...]:
        return tuple(self._db.execute(query).fetchall()[0])


_SIDES = ("output", "input")


def features(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The features alone. They may be called as one of the first four columns, so take them by this function."""
    return batch.select(list(range(len(KEYS), batch.num_columns)))


def named(batch: pa.RecordBatch, reading: Reading) -> pa.RecordBatch:
    """A decoded batch with the names its features have when they are read like this, see :func:`column_names`."""
    names = column_names(sides_of(batch), reading.names, of_inputs=reading.of_inputs)
    renamed = batch.rename_columns([*KEYS, *names])
    return renamed.replace_schema_metadata(batch.schema.metadata)


def keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The columns ``id``, ``event``, ``row`` and ``time`` alone."""
    return batch.select(list(range(len(KEYS))))


def _by_size(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch cut where its bodies exceed some 8 MB, so that a few long ones do not take all memory."""
    sizes = sum(_weights(batch, side) for side in _SIDES)
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // _BYTES, prepend=0))
    edges = np.unique(np.concatenate([[0], cuts, [batch.num_rows]])).tolist()
    yield from (batch.slice(start, end - start) for start, end in pairwise(edges))


def _weights(batch: pa.RecordBatch, side: str) -> npt.NDArray[np.int64]:
    lengths = pc.fill_null(pc.binary_length(batch.column(side)), 0).to_numpy().astype(np.int64)
    as_json = pc.fill_null(pc.equal(batch.column(f"{side}_kind"), "json"), False).to_numpy(zero_copy_only=False)
    weighted: npt.NDArray[np.int64] = np.where(as_json, records.JSON_WEIGHT, 1) * lengths
    return weighted
