"""Which events some capture files hold: all that is needed to see whether an event stands in other files too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from driftline.core.window import Window
from driftline.engine.payload import records
from driftline.engine.reading import SETTINGS, read_files, times_of
from driftline.engine.sources import Sources


def event_keys(
    files: Sequence[str], window: Window | None, *, spill: str | None = None, memory_limit: str = "256MB"
) -> pa.Array[Any]:
    """The keys of all events of a window as columns are read: hashes (uint64) of event and join key, each once."""
    timed = "" if window is None else "AND (moment IS NULL OR (moment >= $start AND moment < $end))"
    sources = Sources.of(files)
    query = f"""SELECT DISTINCT hash(event, id) AS key FROM (
        SELECT nullif(event_id, '') AS event, coalesce(nullif(inference_id, ''), nullif(event_id, '')) AS id, moment
        FROM {sources.scan(sides=())}) WHERE event IS NOT NULL {timed}"""
    return _found(query, sources, window, spill, memory_limit)


def sound_columns(
    files: Sequence[str], window: Window | None, wanted: pa.Array[Any], *, spill: str | None = None
) -> pa.Array[Any]:
    """Of such keys those of which the files hold a record that nothing speaks against."""
    sources = Sources.of(files)
    query = f"""SELECT DISTINCT event AS key FROM ({records.record_rows(sources, timed=window is not None)})
                WHERE fault IS NULL AND event IN (SELECT key FROM wanted)"""
    return _found(query, sources, window, spill, "256MB", wanted)


def _found(
    query: str,
    sources: Sources,
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
        read_files(db, f"CREATE TEMP TABLE found AS {query}", times_of(window) | sources.parameters())
        return db.sql("SELECT key FROM found").to_arrow_table().column("key").combine_chunks()
