"""The columns of a table measured as a whole, or in parts whose states are put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import msgspec
import pyarrow as pa

from driftline.analyzers.columns import ColumnsState
from driftline.core.state import pack, unpack
from driftline.monitors.data_quality.profile import Profile, load_state, save_state
from driftline.monitors.segments import Segmentation, Segments
from driftline.pipeline.segmented import Divided


class Profiled(msgspec.Struct, frozen=True):
    """The state of all rows, and of each segment of each segmentation."""

    state: ColumnsState
    segments: tuple[dict[str, Any], ...]


class TableRows:
    """Measures tables without the columns of ``exclude``. ``threads`` work on several columns at a time, where they are
    wanted: a task on Spark has one processor."""

    def __init__(
        self, exclude: Sequence[str] = (), segmentations: Sequence[Segmentation] = (), *, threads: bool = False
    ) -> None:
        self._exclude, self._segmentations, self._threads = tuple(exclude), tuple(segmentations), threads

    def measure(self, batches: Iterator[pa.RecordBatch], first: int = 0) -> Profiled:
        """What is found in some rows; ``first`` does not matter."""
        with ThreadPoolExecutor() if self._threads else nullcontext() as executor:
            profile = Profile(executor=executor)
            divided = Divided(profile, self._segmentations)
            state = profile.measure(divided.passing(without(batches, self._exclude)))
        return Profiled(state, tuple(divided.states))

    def merge(self, found: Sequence[Profiled]) -> Profiled:
        """What was found in all the parts."""
        profile = Profile()
        segments = [
            Segments(profile, segmentation).merge([one.segments[place] for one in found])
            for place, segmentation in enumerate(self._segmentations)
        ]
        return Profiled(profile.merge([one.state for one in found]), tuple(segments))

    def save(self, found: Profiled) -> bytes:
        """What was found as bytes."""
        segments = [{name: save_state(state) for name, state in one.items()} for one in found.segments]
        return pack("Profiled", {"state": save_state(found.state), "segments": segments})

    def load(self, data: bytes) -> Profiled:
        """What :meth:`save` wrote."""
        values = unpack("Profiled", data)
        segments = [{name: load_state(one) for name, one in part.items()} for part in values["segments"]]
        return Profiled(load_state(values["state"]), tuple(segments))


def without(batches: Iterable[pa.RecordBatch], exclude: Sequence[str]) -> Iterable[pa.RecordBatch]:
    """The batches without some columns."""
    for batch in batches:
        yield batch.select([name for name in batch.schema.names if name not in exclude]) if exclude else batch
