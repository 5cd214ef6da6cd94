"""Which events some capture files hold: all that is needed to see whether an event stands in other files too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from driftline.core.window import Window
from driftline.engine import sql
from driftline.engine.payload import records
from driftline.engine.reading import SETTINGS, read_files, reading_parameters

_FIELDS = "{eventMetadata: 'STRUCT(eventId VARCHAR, inferenceId VARCHAR, inferenceTime VARCHAR)'}"


def event_keys(
    files: Sequence[str], window: Window | None, *, spill: str | None = None, memory_limit: str = "256MB"
) -> pa.Array[Any]:
    """The keys of all events of a window as columns are read: hashes (uint64) of event and join key, each once."""
    moment, timed = "", ""
    if window is not None:
        moment = ", moment_of(eventMetadata.inferenceTime) AS moment"
        timed = "AND (moment IS NULL OR (moment >= $start AND moment < $end))"
    query = f"""SELECT DISTINCT hash(event, id) AS key FROM (
        SELECT nullif(eventMetadata.eventId, '') AS event,
            coalesce(nullif(eventMetadata.inferenceId, ''), nullif(eventMetadata.eventId, '')) AS id{moment}
        FROM {sql.scan(_FIELDS, filename=False)}) WHERE event IS NOT NULL {timed}"""
    return _found(query, files, window, spill, memory_limit)


def sound_columns(
    files: Sequence[str], window: Window | None, wanted: pa.Array[Any], *, spill: str | None = None
) -> pa.Array[Any]:
    """Of such keys those of which the files hold a record that nothing speaks against."""
    query = f"""SELECT DISTINCT event AS key FROM ({records.record_rows(timed=window is not None)})
                WHERE fault IS NULL AND event IN (SELECT key FROM wanted)"""
    return _found(query, files, window, spill, "256MB", wanted)


def _found(
    query: str,
    files: Sequence[str],
    window: Window | None,
    spill: str | None,
    memory_limit: str,
    wanted: pa.Array[Any] | None = None,
) -> pa.Array[Any]:
    settings = SETTINGS | {"memory_limit": memory_limit, "threads": 1}
    with duckdb.connect(":memory:", config=settings | ({} if spill is None else {"temp_directory": spill})) as db:
        for macro in records.MACROS:
            db.execute(macro)
        if wanted is not None:
            db.register("wanted", pa.table({"key": wanted}))
        read_files(db, f"CREATE TEMP TABLE found AS {query}", reading_parameters(files, window))
        return db.sql("SELECT key FROM found").to_arrow_table().column("key").combine_chunks()
