"""Captures with their labels as one file: Parquet with a row a prediction, or JSON lines with a record a request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from driftline.core.errors import DriftlineError, InputError, SetupError
from driftline.core.window import Window
from driftline.engine import sql
from driftline.engine.sources import RECORD_FIELDS, Sources, read_lines, used

MEMORY = "512MB"
_LONGEST = (16 << 20, 64 << 20)
"""Bytes of the longest line: room for longer ones is made only where there are any, as every thread takes its share."""
_RECORDS = "{captureData: 'JSON', eventMetadata: 'JSON', eventVersion: 'VARCHAR'}"
_LABELS = "{groundTruthData: 'JSON', eventMetadata: 'STRUCT(eventId VARCHAR)'}"
# The hour of a label's folder, and where its file is one of ours the moment within it.
_COLLECTED = r"""make_timestamp(CAST(p[1] AS BIGINT), CAST(p[2] AS BIGINT), CAST(p[3] AS BIGINT), CAST(p[4] AS BIGINT),
    coalesce(try_cast(p[5] AS BIGINT), 0),
    coalesce(try_cast(p[6] AS DOUBLE), 0) + coalesce(try_cast(p[7] AS DOUBLE), 0) / 1000)"""
_PLACE = r"(\d{4})/(\d{2})/(\d{2})/(\d{2})/(?:(\d{2})-(\d{2})-(\d{3})-)?[^/]*$"


class Written(msgspec.Struct, frozen=True):
    """How many rows or records a file holds, and how many of them have a label."""

    rows: int
    labelled: int


class MergedExport:
    """One export's database, which spills to ``spill`` beyond half a gigabyte. A context manager."""

    def __init__(self, captures: Sequence[str], labels: Sequence[str], window: Window | None, *, spill: str) -> None:
        settings: dict[str, Any] = {
            "memory_limit": MEMORY,
            "temp_directory": spill,
            "preserve_insertion_order": False,
        }
        self._db = duckdb.connect(":memory:", config=settings)
        for macro in sql.MACROS:
            self._db.execute(macro)
        self._sources = Sources.of(captures)
        self._window = window
        self._label_table(labels)

    def __enter__(self) -> MergedExport:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def parquet(self, target: Path, *, columns: bool, unlabelled: bool) -> Written:
        """A row a prediction: id, event id, row of its request, inference time, input, output, label, label time.

        With ``columns`` the cells of a CSV input stand in ``input_0``, ``input_1``, … instead of in one text.
        """
        self._run(f"CREATE TEMP TABLE exported AS {self._rows(unlabelled=unlabelled)}", self._sources)
        widest = "SELECT coalesce(max(len(csv_cells(input))), 0) FROM exported"
        width = self._db.execute(widest).fetchall()[0][0] if columns else 0
        cells = ", ".join(f"nullif(cells[{place + 1}], '') AS input_{place}" for place in range(width))
        inputs = (cells or "input") if columns else "input"
        chosen = f"""SELECT id, event_id, "row", inference_time, {inputs}, output, label, label_time
                     FROM (SELECT *, {"csv_cells(input)" if columns else "NULL"} AS cells FROM exported)"""
        self._copy(chosen, target, "FORMAT parquet, COMPRESSION zstd")
        return self._counted("exported", "label")

    def lines(self, target: Path, *, unlabelled: bool, files: Sequence[str] | None = None) -> Written:
        """A record a request: the capture record with ``groundTruthData``, as a merge job writes it; of all captures,
        or of some ``files`` of them."""
        sources = self._sources if files is None else Sources.of(files)
        self._run(
            f"""CREATE OR REPLACE TEMP TABLE records AS
            SELECT c.captureData AS "captureData", l.ground_truth AS "groundTruthData",
                c.eventMetadata AS "eventMetadata", coalesce(c.eventVersion, '0') AS "eventVersion"
            FROM (SELECT *, json_extract_string(eventMetadata, '$.eventId') AS event,
                    coalesce(nullif(json_extract_string(eventMetadata, '$.inferenceId'), ''),
                        json_extract_string(eventMetadata, '$.eventId')) AS id,
                    {self._moment("json_extract_string(eventMetadata, '$.inferenceTime')")} AS moment
                  FROM {sources.rows(_RECORDS)}) AS c
            {"LEFT" if unlabelled else ""} JOIN labels AS l USING (id)
            WHERE event IS NOT NULL {self._inside()} QUALIFY row_number() OVER (PARTITION BY event) = 1""",
            sources,
        )
        self._copy("FROM records", target, "FORMAT json")
        return self._counted("records", '"groundTruthData"')

    def _rows(self, *, unlabelled: bool) -> str:
        """Requests whose input, output and label have as many lines as each other are split into them."""
        return f"""
        WITH found AS (
            SELECT nullif(eventMetadata.eventId, '') AS event_id,
                coalesce(nullif(eventMetadata.inferenceId, ''), eventMetadata.eventId) AS id,
                {self._moment("eventMetadata.inferenceTime")} AS moment,
                captureData.endpointInput AS asked, captureData.endpointOutput AS answered
            FROM {self._sources.rows(RECORD_FIELDS)}
        ), once AS (
            SELECT * FROM found WHERE event_id IS NOT NULL AND answered IS NOT NULL {self._inside()}
            QUALIFY row_number() OVER (PARTITION BY event_id) = 1
        ), joined AS (
            SELECT id, event_id, moment, collected, {_body("asked")} AS input, {_body("answered")} AS output, label,
                coalesce(answered."encoding", '') = 'CSV' AND coalesce(asked."encoding", 'CSV') = 'CSV' AS lines
            FROM once {"LEFT" if unlabelled else ""} JOIN labels USING (id)
        ), parts AS (
            SELECT *, csv_lines(input) AS inputs, csv_lines(output) AS outputs, body_lines(label) AS truths FROM joined
        ), sized AS (
            SELECT *, lines AND (input IS NULL OR len(inputs) = len(outputs))
                AND (label IS NULL OR len(truths) = len(outputs)) AS split FROM parts
        )
        SELECT id, event_id, unnest(CASE WHEN split THEN range(len(outputs)) ELSE [0] END) AS "row",
            moment AS inference_time, unnest(CASE WHEN NOT split THEN [input] WHEN input IS NULL
                THEN list_transform(outputs, lambda x: CAST(NULL AS VARCHAR)) ELSE inputs END) AS input,
            unnest(CASE WHEN split THEN outputs ELSE [output] END) AS output,
            unnest(CASE WHEN NOT split THEN [label] WHEN label IS NULL
                THEN list_transform(outputs, lambda x: CAST(NULL AS VARCHAR))
                ELSE list_transform(truths, lambda x: trim(x, ' "')) END) AS label, collected AS label_time
        FROM sized"""

    def _label_table(self, files: Sequence[str]) -> None:
        """Of several labels for one id the newest: the last line of the last file in path order."""
        empty = "SELECT '' AS id, '' AS label, CAST('{}' AS JSON) AS ground_truth, TIMESTAMP 'epoch' AS collected"
        if not files:
            self._run(f"CREATE TEMP TABLE labels AS {empty} WHERE false")
            return
        self._db.execute("SET preserve_insertion_order = true")
        self._run(
            f"""CREATE TEMP TABLE labels AS
            SELECT id, arg_max(label, age) AS label, arg_max(ground_truth, age) AS ground_truth,
                arg_max(collected, age) AS collected
            FROM (
                SELECT *, (filename, place) AS age, CASE WHEN p[1] <> '' THEN {_COLLECTED} END AS collected
                FROM (SELECT nullif(eventMetadata.eventId, '') AS id, groundTruthData AS ground_truth, filename,
                    label_body(json_extract_string(groundTruthData, '$.data'),
                        json_extract_string(groundTruthData, '$.encoding')) AS label,
                    {_groups()} AS p, row_number() OVER () AS place
                    FROM {read_lines(_LABELS, filename=True)})
                WHERE id IS NOT NULL AND label IS NOT NULL)
            GROUP BY id""",
            Sources.of(files),
        )
        self._db.execute("SET preserve_insertion_order = false")

    def _moment(self, text: str) -> str:
        return f"moment_of({text})"

    def _inside(self) -> str:
        return "" if self._window is None else "AND moment >= $start AND moment < $end"

    def _run(self, statement: str, sources: Sources | None = None) -> None:
        for longest in _LONGEST:
            try:
                self._execute(statement, {"longest": longest} | (sources.parameters() if sources else {}))
                return
            except duckdb.Error as error:
                if "maximum_object_size" not in str(error) or longest == _LONGEST[-1]:
                    raise _failed(error) from None

    def _execute(self, statement: str, parameters: dict[str, Any]) -> None:
        if "$start" in statement and self._window is not None:
            # Times in files are cast to times without a zone, which are in UTC.
            parameters["start"] = self._window.start.replace(tzinfo=None)
            parameters["end"] = self._window.end.replace(tzinfo=None)
        self._db.execute(statement, used(statement, parameters) or None)

    def _copy(self, chosen: str, target: Path, options: str) -> None:
        name = str(target).replace("'", "''")
        self._run(f"COPY ({chosen}) TO '{name}' ({options})")

    def _counted(self, table: str, label: str) -> Written:
        return Written(*self._db.execute(f"SELECT count(*), count({label}) FROM {table}").fetchall()[0])


def _body(side: str) -> str:
    """A body as text; what was captured as BASE64 and is no text stays as it was captured."""
    text = f'try(decode(from_base64({side}."data")))'
    return f"""CASE WHEN {side}."encoding" = 'BASE64' THEN coalesce({text}, {side}."data") ELSE {side}."data" END"""


def _groups() -> str:
    """The parts of a label file's path that tell its time."""
    return "[" + ", ".join(f"regexp_extract(filename, '{_PLACE}', {number})" for number in range(1, 8)) + "]"


def _failed(error: duckdb.Error) -> DriftlineError:
    shown = str(error).splitlines()[0][:300]
    if isinstance(error, duckdb.OutOfMemoryException):
        return SetupError("there is too little memory or disk for the export", evidence=shown, hint="free some")
    if isinstance(error, duckdb.IOException):
        return SetupError("the file cannot be written or read", evidence=shown, hint="is the disk full?")
    return InputError(
        "a file cannot be read", evidence=shown, hint="mend or remove that file, or choose another window"
    )
