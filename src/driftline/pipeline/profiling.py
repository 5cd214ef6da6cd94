"""From captures to the state of their columns: hour by hour, each decoded at most once where that is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from driftline.analyzers.columns import ColumnsState
from driftline.core.errors import InputError
from driftline.core.window import Window
from driftline.engine.files import list_files
from driftline.engine.payload import Reading, features, keys
from driftline.engine.record_lines import record_lines
from driftline.engine.rejects import Reject
from driftline.monitors.data_quality.profile import Profile, load_state, save_state
from driftline.monitors.segments import Segmentation
from driftline.pipeline.custom import CustomMeasures, CustomResult, load_analyzers
from driftline.pipeline.hours import NO_ROWS, Hours, Part, decoded_batches, total
from driftline.pipeline.judging import DRIFT_ROWS
from driftline.pipeline.pieces import Pieces
from driftline.pipeline.remembered import Remembered
from driftline.pipeline.run import DataQualityRun
from driftline.pipeline.segmented import Divided
from driftline.pipeline.steps import Recorder
from driftline.scripts.preprocess import Preprocessor


class Profiled(msgspec.Struct, frozen=True):
    """The state of a window's columns, how many records it comes from, what was refused; what custom analyzers found,
    the states of segments, and what a preprocessing script printed."""

    state: ColumnsState
    counts: dict[str, int]
    rejects: tuple[Reject, ...]
    custom: tuple[CustomResult, ...] = ()
    segments: tuple[dict[str, Any], ...] = ()
    log: str = ""


def pieces_of(run: DataQualityRun) -> Pieces | None:
    """Where the pieces of a run are kept; None where every row has to be seen."""
    if run.pieces is None or run.window is None or run.analyzers or run.segments:
        return None
    script = None if run.preprocessor is None else _content(run.preprocessor)
    return Pieces(run.pieces, ["data-quality", _names_of(run), run.exclude, script])


class Profiling:
    """One run's reading of its captures."""

    def __init__(self, run: DataQualityRun, recorder: Recorder) -> None:
        self._run, self._recorder = run, recorder
        self._names = _names_of(run)
        self.segmentations = tuple(Segmentation.parse(text) for text in run.segments)
        self._custom = CustomMeasures(load_analyzers(run.analyzers))
        self._hours = Hours(run, pieces_of(run), save_state, load_state)
        self._log: list[str] = []
        self._remembered = Remembered(DRIFT_ROWS)

    def all(self) -> Profiled:
        """Decode what has to be, and merge it with what is kept."""
        with ThreadPoolExecutor() as executor:
            profile = Profile(executor=executor)
            divided = Divided(profile, self.segmentations)
            parts = self._hours.parts(lambda files, window: self._read(files, window, profile, divided))
            state = profile.merge([part.state for part in parts])
        counts, rejects = total(parts)
        log = "".join(self._log)
        return Profiled(state, counts, rejects, self._custom.results(), tuple(divided.states), log)

    def rows(self, few: bool = False) -> Iterator[tuple[Any, pa.RecordBatch]]:
        """The rows of the window once more: their ids, where they have any, and their features. A ``few`` are those
        remembered from the first look, if that was one at all rows."""
        if few and self._remembered.rows:
            yield from self._remembered
            return
        for window in self._hours.windows():
            files = list_files(self._run.captures, window)
            with ExitStack() as stack:
                yield from self._batches(files, window, stack)[0] if files else ()

    def _read(self, files: list[str], window: Window | None, profile: Profile, divided: Divided) -> Part:
        if not files:
            return Part(profile.merge([]), dict(NO_ROWS))
        with ExitStack() as stack:
            rows, found = self._batches(files, window, stack)
            name = "decode and analyse" if self._run.preprocessor is None else "preprocess and analyse"
            told = self._recorder.told(name, (batch for _, batch in self._remembered.passing(rows)), 0)
            batches = divided.passing(self._custom.watch(told))
            state = self._recorder.step(name, len(files), lambda: profile.measure(batches), _rows)
            counts, rejects = found()
        return Part(state, counts, rejects)

    def _batches(self, files: list[str], window: Window | None, stack: ExitStack) -> Any:
        """The rows with their ids, and a function that tells after the last of them what was found."""
        if self._run.preprocessor is not None:
            return self._preprocessed(self._run.preprocessor, files, window)
        batches, found = decoded_batches(self._run, Reading(tuple(self._names)), files, window, stack)
        return ((keys(batch).column(0), self._without(features(batch))) for batch in batches), found

    def _preprocessed(self, script: str, files: list[str], window: Window | None) -> Any:
        preprocessor = Preprocessor(script)

        def found() -> tuple[dict[str, int], tuple[Reject, ...]]:
            report = preprocessor.report
            self._log.append(report.log)
            refused = (Reject("captures", "broken_line", report.refused, report.samples),) if report.refused else ()
            records = report.records + report.refused
            counts = {"capture_records": records, "rows": report.rows, "duplicate_events": 0}
            return counts | {"capture_files_read": len(files)}, refused

        return _nameless(map(self._without, preprocessor.batches(record_lines(files, window)))), found

    def _without(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        excluded = self._run.exclude
        return batch.select([name for name in batch.schema.names if name not in excluded]) if excluded else batch


def _names_of(run: DataQualityRun) -> tuple[str, ...]:
    return run.names or (() if run.baseline is None else tuple(one.name for one in run.baseline.features))


def _content(script: str) -> str:
    """A script by its content: another content makes other rows."""
    try:
        return hashlib.sha256(Path(script).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(
            f"the script {script} cannot be read",
            evidence=error.strerror or str(error),
            hint="check its name; scripts of a schedule stand in the folder scripts/ of the data folder",
        ) from None


def _nameless(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[None, pa.RecordBatch]]:
    for batch in batches:
        yield None, batch


def _rows(state: ColumnsState) -> int:
    return state.rows
