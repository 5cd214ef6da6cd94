"""The engine of one task among many: reads some of a run's files, for others to join with what the others read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from driftline.engine.batches import batch_rows
from driftline.engine.local import LocalEngine

NO_ROW = -1
"""The row of a request that has none that can be used: it is told of because its label may be of another length."""
KEY_ALONE = -2
"""The row of a record without any row: it is told of because its event may stand elsewhere too."""
_COUNTED = "('no_value', 'not_a_number', 'not_a_distribution')"
_REQUESTS = f"""
    SELECT id, event, row, score, prediction, reason, count(*) OVER (PARTITION BY id, event) AS of,
        count(*) FILTER (reason IS NULL) OVER (PARTITION BY id, event) AS usable
    FROM predictions WHERE reason IS NULL OR reason IN {_COUNTED}"""
_PLAIN = f"""SELECT id, event, row, score, prediction, reason, 1 AS of, if(reason IS NULL, 1, 0) AS usable
    FROM predictions WHERE reason IS NULL OR reason IN {_COUNTED}"""


class PartEngine(LocalEngine):
    """Loads as :class:`LocalEngine` does; what it joins there it gives here one side at a time."""

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The usable predictions: id, row, how many rows the request has (``of``), score, prediction, the ``key`` of
        the event, and the columns loaded beside them; a row :data:`NO_ROW` of every request that has rows, and none of
        them usable; and a row :data:`KEY_ALONE` of every other record with an event."""
        requests = _REQUESTS if self._several_captures else _PLAIN
        values = "id, event, CAST(row AS BIGINT) AS row, CAST(of AS BIGINT) AS of, score, prediction"
        query = f"""
            SELECT {values} FROM ({requests}) WHERE reason IS NULL
            UNION ALL
            SELECT DISTINCT id, event, CAST({NO_ROW} AS BIGINT), CAST(of AS BIGINT), NULL, NULL
            FROM ({requests}) WHERE usable = 0
            UNION ALL
            SELECT DISTINCT id, event, CAST({KEY_ALONE} AS BIGINT), 0::BIGINT, NULL, NULL
            FROM predictions WHERE event IS NOT NULL AND reason NOT IN {_COUNTED}"""
        if self._beside:
            query = f"SELECT * FROM ({query}) LEFT JOIN columns_beside USING (event, row)"
        # The columns may stand in another order after USING.
        key = "hash(event, id) AS key"
        columns = ", ".join(("id", "row", "of", "score", "prediction", key, *self._beside))
        yield from self._db.sql(f"SELECT {columns} FROM ({query})").to_arrow_reader(batch_rows(self._classes))

    def copies(self, wanted: pa.Array[Any]) -> pa.Table:
        """Of events with these keys what decides which of their copies is read, least first: what speaks against it,
        whether it is no plain line, its body, score and prediction."""
        self._db.register("wanted", pa.table({"key": wanted}))
        query = """SELECT hash(event, id) AS key, fault, NOT plain AS odd, body, score, prediction FROM records
                   WHERE event IS NOT NULL AND hash(event, id) IN (SELECT key FROM wanted)"""
        found: pa.Table = self._db.sql(query).to_arrow_table()
        self._db.unregister("wanted")
        return found

    def labels(self, files: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The labels loaded from these files: id, label, whether it is one line, and the place of its file among
        them."""
        query = """SELECT id, label, plain, CAST(place AS BIGINT) AS file FROM labels JOIN (
                       SELECT hash(unnest($files)) AS origin, generate_subscripts($files, 1) - 1 AS place)
                   USING (origin)"""
        yield from self._db.sql(query, params={"files": list(files)}).to_arrow_reader(batch_rows())
