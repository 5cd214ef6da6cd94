"""A data frame of Spark as a table: its columns, its first rows, and every row measured where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.engine.spark.failures import told
from driftline.engine.spark.fold import fold, task_number
from driftline.engine.spark.session import quietly

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T")
Counts = list[tuple[int, int]]
Places = Mapping[int, tuple[int, int]]


class Frame:
    """A data frame. Its rows have the order in which Spark collects them: partition by partition."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame
        self._counted: Places | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._frame.columns)

    def select(self, names: Iterable[str]) -> Frame:
        """The frame with these columns alone."""
        chosen = [self._frame["`" + name.replace("`", "``") + "`"] for name in names]
        return Frame(self._frame.select(*chosen))

    def checked(self) -> Frame:
        """Itself, if Arrow knows the types of its columns; raises :class:`InputError` naming one of another."""
        for field in self._frame.schema.fields:
            if field.dataType.typeName() in ("udt", "vectorudt", "variant", "object"):
                raise InputError(
                    f"the data frame: column {field.name!r} is of a type that only Spark knows",
                    evidence=field.dataType.simpleString()[:100],
                    hint="make it an array, as pyspark.ml.functions.vector_to_array does, or leave it out",
                )
        return self

    def first(self, rows: int) -> pa.Table:
        """The first rows."""
        with quietly(), told():
            return self.checked()._frame.limit(rows).toArrow()

    def whole(self) -> pa.Table:
        """All rows, brought here: for small tables."""
        with quietly(), told():
            return self.checked()._frame.toArrow()

    def fold(
        self,
        measure: Callable[[Iterator[pa.RecordBatch], int], T],
        merge: Callable[[Sequence[T]], T],
        save: Callable[[T], bytes],
        load: Callable[[bytes], T],
        *,
        numbered: bool = False,
    ) -> T:
        """The state of all rows, as :func:`driftline.engine.spark.fold.fold` makes it.

        ``measure`` is also told how many rows are in the partitions before its own; that is 0 unless they are
        ``numbered``, for which they are counted first.
        """
        if not numbered:
            return fold(self.checked()._frame, lambda batches: measure(batches, 0), merge, save, load)
        places = self._places()
        return fold(
            self.checked()._frame,
            lambda batches: _at_its_place(measure, batches, places),
            merge,
            save,
            load,
            partitions=len(places),
        )

    def _places(self) -> Places:
        """Of every partition how many rows are before it, and how many it has.

        They are counted the way that they will be measured: for a count of its own Spark may well leave out columns and
        divide the rows otherwise.
        """
        if self._counted is None:
            counts = fold(self.checked()._frame, _count, _counts, msgspec.msgpack.encode, _read_counts)
            before = accumulate((count for _, count in counts), initial=0)
            self._counted = {part: (first, count) for (part, count), first in zip(counts, before, strict=False)}
        return self._counted


def _count(batches: Iterator[pa.RecordBatch]) -> Counts:
    return [(task_number(), sum(batch.num_rows for batch in batches))]


def _counts(parts: Sequence[Counts]) -> Counts:
    return sorted(count for part in parts for count in part)


def _read_counts(data: bytes) -> Counts:
    return msgspec.msgpack.decode(data, type=list[tuple[int, int]])


def frame_of(data: Any) -> Frame | None:
    """A data frame of classic Spark or of Spark Connect; None of anything else, for which Spark is not imported."""
    if type(data).__module__.startswith("pyspark.sql.") and hasattr(data, "mapInArrow"):
        return Frame(data)
    return None


def _at_its_place(
    measure: Callable[[Iterator[pa.RecordBatch], int], T],
    batches: Iterator[pa.RecordBatch],
    places: Places,
) -> T:
    first, expected = places.get(task_number(), (0, 0))
    seen = 0

    def passing() -> Iterator[pa.RecordBatch]:
        nonlocal seen
        for batch in batches:
            seen += batch.num_rows
            yield batch

    found = measure(passing(), first)
    if seen != expected:
        raise InputError(
            "the data frame gave other rows when it was read again, so that they have no numbers",
            evidence=f"partition {task_number()} had {expected} rows, then {seen}",
            hint="keep it first, with cache(), or name the column of the rows' ids with row_id",
        )
    return found
