"""The rows that broke a rule, looked for in a table as a whole, or in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.monitors.data_quality.samples import MOST, Breaking, breaking, rows_of, shown

DRIFT_ROWS = 100_000
"""How many rows are looked at for samples of what drifted."""
_DRIFT = "baseline_drift_check"
Row = tuple[int, str]


class Broken(msgspec.Struct, frozen=True):
    """How many rows were looked at, and for each violation the numbers and texts of rows that broke its rule."""

    rows: int
    found: tuple[tuple[Row, ...], ...]


class BreakingRows:
    """Looks for up to ten rows of each violation. Of a distribution that moved, rows among the first show as well as
    any."""

    def __init__(
        self,
        violations: Sequence[Violation],
        constraints: DataQualityConstraints,
        baseline: TableStatistics | None,
        exclude: Sequence[str] = (),
    ) -> None:
        self._wanted = breaking(violations, constraints, baseline)
        self._exclude = frozenset(exclude)
        overrides = [feature for feature in constraints.features if feature.override is not None]
        self._sensitive = frozenset(
            one.name for one in overrides if one.override is not None and one.override.sensitive
        )

    @property
    def any(self) -> bool:
        """Whether there is anything to look for."""
        return any(one is not None for one in self._wanted)

    @property
    def few(self) -> bool:
        """Whether any :data:`DRIFT_ROWS` rows will do."""
        return all(one is None or one.check == _DRIFT for one in self._wanted)

    def look(self, rows: Iterable[tuple[Any, pa.RecordBatch]]) -> Broken:
        """What is found in rows, with the ids of their records where they have any; it stops when that is enough."""
        seen = 0
        found: list[list[Row]] = [[] for _ in self._wanted]
        for ids, batch in rows:
            open_ = [place for place in range(len(found)) if self._open(place, found[place], seen)]
            if not open_:
                break
            for place in open_:
                wanted = self._wanted[place]
                if wanted is not None:
                    found[place] += self._shown(batch, ids, wanted, seen, MOST - len(found[place]))
            seen += batch.num_rows
        return Broken(seen, tuple(map(tuple, found)))

    def measure(self, batches: Iterator[pa.RecordBatch], first: int = 0) -> Broken:
        """What is found in a part of a table; ``first`` is reckoned with by :meth:`merge`."""
        return self.look((None, batch) for batch in batches)

    def merge(self, parts: Sequence[Broken]) -> Broken:
        """What is found in all the parts, in their order."""
        rows = 0
        found: list[list[Row]] = [[] for _ in self._wanted]
        for part in parts:
            for place, some in enumerate(part.found):
                if self._open(place, found[place], rows):
                    moved = [(rows + number, text) for number, text in some]
                    found[place] = self._kept(place, found[place] + moved)
            rows += part.rows
        return Broken(rows, tuple(map(tuple, found)))

    def save(self, found: Broken) -> bytes:
        """What was found as bytes."""
        return msgspec.msgpack.encode(found)

    def load(self, data: bytes) -> Broken:
        """What :meth:`save` wrote."""
        return msgspec.msgpack.decode(data, type=Broken)

    def _open(self, place: int, found: Sequence[Row], seen: int) -> bool:
        """Whether more rows are looked for."""
        wanted = self._wanted[place]
        return wanted is not None and len(found) < MOST and (wanted.check != _DRIFT or seen < DRIFT_ROWS)

    def _kept(self, place: int, rows: list[Row]) -> list[Row]:
        wanted = self._wanted[place]
        drift = wanted is not None and wanted.check == _DRIFT
        return [row for row in rows if not drift or row[0] < DRIFT_ROWS][:MOST]

    def _shown(self, batch: pa.RecordBatch, ids: Any, wanted: Breaking, seen: int, most: int) -> list[Row]:
        chosen = batch.select([name for name in batch.schema.names if name not in self._exclude])
        if wanted.check == _DRIFT:
            chosen = chosen.slice(0, DRIFT_ROWS - seen)
        return [
            (seen + row, shown(chosen, row, wanted.name, self._sensitive, None if ids is None else ids[row].as_py()))
            for row in rows_of(chosen, wanted, most)
        ]
