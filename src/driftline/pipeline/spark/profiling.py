"""Data quality measured by Spark: the state of the columns and of their segments, and samples of rows that broke a
rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.analyzers.columns import ColumnsState
from driftline.engine.payload import features, keys
from driftline.monitors.data_quality.profile import Profile, load_state, save_state
from driftline.monitors.segments import Segmentation, Segments
from driftline.pipeline.breaking_rows import BreakingRows, Broken
from driftline.pipeline.segmented import Divided


class Profiles(msgspec.Struct, frozen=True):
    """The state of some rows, and those of their segments by each way to divide them."""

    state: ColumnsState
    segments: tuple[dict[str, Any], ...]


class _Saved(msgspec.Struct, frozen=True):
    state: bytes
    segments: tuple[dict[str, bytes], ...]


class ProfileColumns:
    """Measures decoded rows without the columns to ``exclude``."""

    def __init__(self, exclude: Sequence[str], segmentations: Sequence[Segmentation]) -> None:
        self._exclude, self._segmentations = frozenset(exclude), tuple(segmentations)

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Profiles:
        """The states of all batches."""
        profile = Profile()
        divided = Divided(profile, self._segmentations)
        state = profile.measure(divided.passing(batch for _, batch in known_rows(batches, self._exclude)))
        return Profiles(state, tuple(divided.states))

    def merge(self, parts: Sequence[Profiles]) -> Profiles:
        """The states of all rows."""
        profile = Profile()
        segments = tuple(
            Segments(profile, one).merge([part.segments[place] for part in parts])
            for place, one in enumerate(self._segmentations)
        )
        return Profiles(profile.merge([part.state for part in parts]), segments)

    def save(self, part: Profiles) -> bytes:
        """The states as bytes."""
        segments = tuple({name: save_state(state) for name, state in one.items()} for one in part.segments)
        return msgspec.msgpack.encode(_Saved(save_state(part.state), segments))

    def load(self, data: bytes) -> Profiles:
        """The states of these bytes."""
        saved = msgspec.msgpack.decode(data, type=_Saved)
        segments = tuple({name: load_state(state) for name, state in one.items()} for one in saved.segments)
        return Profiles(load_state(saved.state), segments)


class BrokenRules:
    """Finds rows that broke a rule in decoded rows, without the columns to ``exclude``."""

    def __init__(self, exclude: Sequence[str], breaking: BreakingRows) -> None:
        self._exclude, self._breaking = frozenset(exclude), breaking
        self.merge, self.save, self.load = breaking.merge, breaking.save, breaking.load

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Broken:
        """What is found in all batches; they are taken only until that is enough."""
        return self._breaking.look(known_rows(batches, self._exclude))


def known_rows(batches: Iterable[pa.RecordBatch], exclude: frozenset[str]) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """Of decoded batches the ids of their records, and the features that are not excluded."""
    for batch in batches:
        found = features(batch)
        wanted = [place for place, name in enumerate(found.schema.names) if name not in exclude]
        yield keys(batch).column(0), found.select(wanted) if exclude else found
