"""The engine of one machine: DuckDB reads captures and labels, drops repeats, joins them, and spills when it must."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.sampling import hash_ids
from driftline.core.window import Window
from driftline.engine import cells, sql
from driftline.engine.attributes import OutputAttributes
from driftline.engine.batches import batch_rows
from driftline.engine.locate import Locator
from driftline.engine.reading import LONGEST_LINES, SETTINGS, Found, read_files, times_of
from driftline.engine.rejects import Reject
from driftline.engine.search import Search
from driftline.engine.sources import Sources, used


class LocalEngine:
    """One run's database. Its tables live in memory, beyond ``memory_limit`` (such as ``2GB``) under ``spill``.

    A context manager: the tables go with it. Load the captures, then the labels, then iterate :meth:`joined`.
    """

    def __init__(
        self, *, spill: str | None = None, memory_limit: str | None = None, threads: int | None = None
    ) -> None:
        wanted = {"temp_directory": spill, "memory_limit": memory_limit, "threads": threads}
        settings = SETTINGS | {name: value for name, value in wanted.items() if value is not None}
        self._db = duckdb.connect(":memory:", config=settings)
        for macro in sql.MACROS:
            self._db.execute(macro)
        self._several_captures = self._several_labels = False
        self._classes = 0
        self._columns = False
        self._searches: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def share_done(self) -> float:
        """How far the statement is that runs now in another thread, 0 to 1."""
        return max(0.0, self._db.query_progress()) / 100

    def load_captures(
        self,
        files: Sequence[str],
        attributes: OutputAttributes,
        window: Window | None,
        decoded: pa.RecordBatchReader | None = None,
    ) -> Found:
        """Read the capture records of a window, each event once, in the place of those read before.

        ``decoded`` are the records of these files and this window where they were read before: then the files are
        read only for samples of what is refused.
        """
        sources = Sources.of(files)
        parameters = times_of(window) | sources.parameters()
        timed = window is not None
        self._classes = len(attributes.classes)
        self._create_searches(attributes)
        self._load_records(attributes, timed, parameters, decoded, sources)
        records = self._one("SELECT count(*) FROM records")
        repeated = self._drop_repeated_events()
        self._several_captures = self._one("SELECT count(*) FROM records WHERE NOT plain AND fault IS NULL") > 0
        if self._several_captures:
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE expanded_rows AS {sql.expanded(attributes)}")
        self._db.execute(
            f"CREATE OR REPLACE TEMP VIEW predictions AS {sql.predictions(several=self._several_captures)}"
        )

        def located(some: Sources) -> str:
            lines = sql.capture_lines(some, timed=timed, located=True)
            return sql.CAPTURE_REASONS.format(located=sql.capture_records(lines, attributes, timed=timed, located=True))

        counts = self._by_reason("predictions", "reason")
        return Found(
            records,
            self._one("SELECT count(*) FROM predictions WHERE reason IS NULL"),
            repeated,
            Locator(self._db, "captures", located, sources, parameters).rejects(counts),
        )

    def _load_records(
        self,
        attributes: OutputAttributes,
        timed: bool,
        parameters: dict[str, Any],
        decoded: pa.RecordBatchReader | None,
        sources: Sources,
    ) -> None:
        source = sql.capture_lines(sources, timed=timed) if decoded is None else sql.CAPTURE_ROWS
        statement = f"CREATE OR REPLACE TEMP TABLE records AS {sql.capture_records(source, attributes, timed=timed)}"
        if decoded is None:
            read_files(self._db, statement, parameters)
            return
        self._db.register("decoded", decoded)
        times = {name: parameters[name] for name in ("start", "end") if name in parameters}
        self._db.execute(statement, times)
        self._db.unregister("decoded")
        # A look for samples reads the files, and no line is longer than its file.
        size = max((Path(file).stat().st_size for file in sources.lines), default=0)
        parameters["longest"] = min(max(LONGEST_LINES[0], size), LONGEST_LINES[-1])

    def load_labels(self, files: Sequence[str]) -> Found:
        """Read labels, of several for one id the newest: the last line of the last file in path order."""
        sources = Sources.of(files)
        parameters = sources.parameters()
        read_files(self._db, f"CREATE TEMP TABLE labels AS {sql.label_records()}", parameters)
        counts = self._by_reason("labels", "fault")
        records = self._one("SELECT count(*) FROM labels")
        usable, distinct = self._row("SELECT count(*), count(DISTINCT hash(id)) FROM labels WHERE fault IS NULL")
        if usable != distinct:
            self._keep_newest_labels(parameters)
        elif counts:
            self._db.execute("DELETE FROM labels WHERE fault IS NOT NULL")
        kept = self._one("SELECT count(*) FROM labels")
        self._several_labels = self._one("SELECT count(*) FROM labels WHERE NOT plain") > 0
        located = sql.LABEL_REASONS.format(located=sql.label_records(located=True))
        rejects = Locator(self._db, "labels", lambda _: located, sources, parameters).rejects(counts)
        return Found(records, kept, usable - kept, rejects)

    def label_ids(self, files: Sequence[str]) -> dict[str, npt.NDArray[np.uint64]]:
        """The hashes of the ids that each of the label files names, without a look at the labels.

        All files are read at once: they may be thousands of a few lines each.
        """
        if not files:
            return {}
        named = f"SELECT DISTINCT origin, id FROM ({sql.label_records()}) WHERE id IS NOT NULL"
        read_files(self._db, f"CREATE OR REPLACE TEMP TABLE named AS {named}", Sources.of(files).parameters())
        query = """SELECT place, id FROM named JOIN (
                       SELECT unnest($files) AS f, generate_subscripts($files, 1) - 1 AS place) ON hash(f) = origin
                   ORDER BY place"""
        table: pa.Table = self._db.sql(query, params={"files": list(files)}).to_arrow_table()
        hashes = hash_ids(table.column("id").combine_chunks())
        ends = np.searchsorted(table.column("place").to_numpy(), np.arange(1, len(files)))
        return dict(zip(files, np.split(hashes, ends), strict=True))

    def without_labels(self) -> None:
        """Say that there are no labels: every prediction stays without one."""
        self._db.execute(
            "CREATE TEMP TABLE labels AS SELECT '' AS id, '' AS label, true AS plain, 0::UBIGINT AS origin WHERE false"
        )

    def joined(self) -> Iterator[pa.RecordBatch]:
        """The usable predictions with their labels: id, row, score, prediction, label (null where there is none)."""
        query = """SELECT p.id, p.row, p.score, p.prediction, l.label, p.event
                   FROM predictions AS p LEFT JOIN labels AS l USING (id) WHERE p.reason IS NULL"""
        if self._several_captures or self._several_labels:
            self._create_label_rows()
            query = """SELECT p.id, p.row, p.score, p.prediction, l.label, p.event
                       FROM predictions AS p JOIN requests AS r USING (id, event)
                       LEFT JOIN label_rows AS l ON l.id = p.id AND l.row = p.row AND l.of = r.rows
                       WHERE p.reason IS NULL"""
        if self._columns:
            query = f"SELECT * EXCLUDE (event) FROM ({query}) LEFT JOIN columns_beside USING (event, row)"
        else:
            query = f"SELECT * EXCLUDE (event) FROM ({query})"
        yield from self._db.sql(query).to_arrow_reader(batch_rows(self._classes))

    def load_columns(self, rows: Iterable[pa.RecordBatch], names: Sequence[str]) -> None:
        """Have :meth:`joined` give further columns of text: of batches with ``event`` (the event id), ``row`` (int64)
        and columns of these names."""
        columns = "".join(f", {name} VARCHAR" for name in names)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE columns_beside (event UBIGINT, row BIGINT{columns})")
        for batch in rows:
            self._db.register("given", batch)
            self._db.execute("INSERT INTO columns_beside SELECT * REPLACE (hash(event) AS event) FROM given")
            self._db.unregister("given")
        self._columns = True

    def matched_by_file(self, files: Sequence[str]) -> dict[str, int]:
        """After :meth:`joined`: how many predictions each of the label files gave their label."""
        query = """
            SELECT f, n FROM (SELECT l.origin, count(*) AS n FROM predictions AS p JOIN labels AS l USING (id)
                              WHERE p.reason IS NULL GROUP BY l.origin)
            JOIN (SELECT unnest($files) AS f) ON hash(f) = origin"""
        return dict(self._db.execute(query, {"files": list(files)}).fetchall())

    def mismatches(self) -> tuple[Reject, ...]:
        """After :meth:`joined`: labels with another number of rows than the request they belong to."""
        if not (self._several_captures or self._several_labels):
            return ()
        count = self._one("SELECT count(*) FROM mismatched")
        samples = self._db.execute("SELECT 'label for id ' || id FROM mismatched ORDER BY id LIMIT 3").fetchall()
        return (Reject("labels", "row_count", count, tuple(text for (text,) in samples)),) if count else ()

    def _create_searches(self, attributes: OutputAttributes) -> None:
        """The functions that find values where a JMESPath is no JSON path."""
        for name, path in cells.searched(attributes).items():
            if name in self._searches:
                continue
            self._searches.add(name)
            search = Search(path, vectors=bool(attributes.classes) and name == "score_text")
            self._db.create_function(
                cells.searcher(name), search, ["VARCHAR"], "VARCHAR[]", type="arrow", null_handling="special"
            )  # type: ignore[call-overload]

    def _create_label_rows(self) -> None:
        """Labels row by row, and which of them are of another length than a request they belong to.

        A request counts with all its rows, also those that cannot be used, but not when its body was not read.
        """
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE label_rows AS {sql.LABEL_ROWS}")
        self._db.execute(
            """CREATE OR REPLACE TEMP TABLE requests AS SELECT id, event, count(*) AS rows FROM predictions
               WHERE reason IS NULL OR reason IN ('no_value', 'not_a_number', 'not_a_distribution')
               GROUP BY id, event"""
        )
        self._db.execute(
            """CREATE OR REPLACE TEMP TABLE mismatched AS
               SELECT DISTINCT l.id FROM label_rows AS l JOIN requests AS r USING (id) WHERE l.of <> r.rows"""
        )

    def _drop_repeated_events(self) -> int:
        """The contract of capture is at-least-once, so an event can stand twice; one copy is kept."""
        total, distinct = self._row("SELECT count(event), count(DISTINCT event) FROM records")
        if total == distinct:
            return 0
        self._db.execute(
            """CREATE TEMP TABLE once AS SELECT * FROM records QUALIFY event IS NULL
               OR row_number() OVER (PARTITION BY event, id ORDER BY fault NULLS FIRST, plain DESC, body) = 1"""
        )
        self._db.execute("DROP TABLE records; ALTER TABLE once RENAME TO records")
        return total - self._one("SELECT count(event) FROM records")

    def _keep_newest_labels(self, parameters: dict[str, Any]) -> None:
        self._db.execute("DROP TABLE labels")
        self._db.execute("SET preserve_insertion_order = true")
        newest = f"""CREATE TEMP TABLE labels AS
            SELECT id, arg_max(label, (filename, place)) AS label, arg_max(plain, (filename, place)) AS plain,
                arg_max(origin, (filename, place)) AS origin
            FROM ({sql.label_records(located=True)}) WHERE fault IS NULL GROUP BY id"""
        self._db.execute(newest, used(newest, parameters))
        self._db.execute("SET preserve_insertion_order = false")

    def _by_reason(self, table: str, column: str) -> dict[str, int]:
        query = f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}"
        return dict(self._db.execute(query).fetchall())

    def _row(self, query: str) -> tuple[int, ...]:
        return tuple(self._db.execute(query).fetchall()[0])

    def _one(self, query: str) -> int:
        return self._row(query)[0]
