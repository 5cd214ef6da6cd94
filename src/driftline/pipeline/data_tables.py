"""Baseline and check of a table's columns: a file, a folder of files, or anything that exports an Arrow stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from driftline.core.errors import InputError
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_constraints_document import read_table_constraints
from driftline.core.table_statistics import TableStatistics
from driftline.core.table_statistics_reader import read_statistics
from driftline.core.window import format_time
from driftline.engine.datasets import Dataset
from driftline.engine.rejects import Reject
from driftline.monitors.data_quality.drift import TableDrift
from driftline.monitors.data_quality.profile import Profile
from driftline.monitors.data_quality.segment_drift import ranked_drift
from driftline.monitors.data_quality.suggest import suggest
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.segment_ranking import SegmentRank
from driftline.monitors.segments import Segmentation
from driftline.pipeline.breaking_rows import BreakingRows, Broken
from driftline.pipeline.documents import called, content_of
from driftline.pipeline.found import Found, Judged
from driftline.pipeline.judging import documents, judge
from driftline.pipeline.placed import measured
from driftline.pipeline.report import Frame
from driftline.pipeline.segmented import segments_document
from driftline.pipeline.steps import Progress, Recorder
from driftline.pipeline.table_report import table_report_html
from driftline.pipeline.table_rows import TableRows

Statistics = TableStatistics | str | Path | dict[str, Any]
Constraints = DataQualityConstraints | str | Path | dict[str, Any]


class DataBaseline(Found, frozen=True):
    """What a baseline of a table yields: the statistics of its columns and suggested constraints."""

    statistics: TableStatistics
    constraints: DataQualityConstraints
    evaluation_time: str
    rejects: tuple[Reject, ...] = ()

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        return documents(self.statistics, self.constraints, None, self.evaluation_time)

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        return table_report_html(
            Frame("Baseline of data quality", self.evaluation_time, rejects=self.rejects),
            current=self.statistics,
            constraints=self.constraints,
        )


class DataChecked(Judged, frozen=True):
    """What a check of a table found. True when the verdict is OK; renders in a notebook as the report."""

    statistics: TableStatistics
    baseline: TableStatistics | None
    constraints: DataQualityConstraints | None
    drift: TableDrift | None
    evaluation_time: str
    rejects: tuple[Reject, ...] = ()
    segments: tuple[SegmentRank, ...] = ()

    def rows_judged(self) -> int:
        """How many rows the verdict rests on."""
        return self.statistics.item_count

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        return documents(self.statistics, self.constraints, self.violations, evaluation_time=self.evaluation_time)

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        return table_report_html(
            self.frame("Data quality", self.evaluation_time, self.rejects),
            current=self.statistics,
            baseline=self.baseline,
            constraints=self.constraints,
            drift=self.drift,
            segments=segments_document(self.segments),
        )


def baseline_data_quality(
    data: Any,
    *,
    header: bool | None = None,
    exclude: Sequence[str] = (),
    now: datetime | None = None,
    progress: Progress | None = None,
) -> DataBaseline:
    """Statistics of every column of a table, and the constraints they suggest.

    ``data`` is a path to a file or a folder of CSV, JSON lines or Parquet, to a manifest of such files, a table that
    exports an Arrow stream (pandas, Polars, DuckDB, pyarrow), or a data frame of Spark, which is measured on its
    executors. ``header`` says whether the first line of a CSV has
    the names; without it that is seen from the file. ``exclude`` are columns to leave out.
    Raises :class:`InputError` for data that cannot be read or has no row.
    """
    dataset = Dataset(data, header=header)
    statistics = _profiled(dataset, exclude, Recorder(progress))[0]
    if not statistics.item_count:
        raise InputError(f"{called(data)} has no rows", hint="a baseline needs rows that can be trusted")
    return DataBaseline(statistics, suggest(statistics), format_time(now or datetime.now(UTC)), dataset.rejects())


def check_data_quality(
    data: Any,
    constraints: Constraints | DataBaseline | None = None,
    *,
    baseline: Statistics | None = None,
    header: bool | None = None,
    exclude: Sequence[str] = (),
    segments: Sequence[str] = (),
    minimum_sample: int = MINIMUM_SAMPLE,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> DataChecked:
    """Measure every column of a table and hold it against a baseline.

    ``constraints`` is a :class:`DataBaseline`, or constraints by themselves, a path to ``constraints.json`` or its
    content; then ``baseline``, the statistics or a path to ``statistics.json``, is what distributions are compared
    with. ``data`` and the others are as in :func:`baseline_data_quality`. ``segments`` divide
    the rows, as ``plan`` or ``age:18,30``; they are ranked by how far they drifted. Below ``minimum_sample`` rows the
    verdict is UNKNOWN.
    """
    if isinstance(constraints, DataBaseline):
        return check_data_quality(
            data,
            constraints.constraints,
            baseline=constraints.statistics,
            header=header,
            exclude=exclude,
            segments=segments,
            minimum_sample=minimum_sample,
            now=now,
            progress=progress,
        )
    wanted = None if constraints is None else _constraints_of(constraints)
    before = None if baseline is None else _statistics_of(baseline)
    dataset = Dataset(data, header=header)
    divided = [Segmentation.parse(text) for text in segments]
    statistics, parts = _profiled(dataset, exclude, Recorder(progress), divided)

    def look(breaking: BreakingRows) -> Broken:
        return dataset.fold(breaking.measure, breaking.merge, breaking.save, breaking.load)

    judged = judge(statistics, before, wanted, look, minimum_sample=minimum_sample, exclude=exclude)
    return DataChecked(
        judged.judgement,
        judged.violations,
        statistics,
        before,
        wanted,
        judged.drift,
        format_time(now or datetime.now(UTC)),
        dataset.rejects(),
        () if before is None or wanted is None else _ranked(divided, statistics, parts, before, wanted),
    )


Parts = Sequence[Mapping[str, TableStatistics]]


def _profiled(
    dataset: Dataset, exclude: Sequence[str], recorder: Recorder, segmentations: Sequence[Segmentation] = ()
) -> tuple[TableStatistics, Parts]:
    """The statistics of all rows, and for every segmentation those of each segment."""
    rows = TableRows(exclude, segmentations, threads=dataset.frame is None)
    found = measured(dataset, rows, recorder)
    profile = Profile()
    parts = [{name: profile.result(one) for name, one in states.items()} for states in found.segments]
    return profile.result(found.state), parts


def _ranked(
    segmentations: Sequence[Segmentation],
    whole: TableStatistics,
    parts: Parts,
    baseline: TableStatistics,
    constraints: DataQualityConstraints,
) -> tuple[SegmentRank, ...]:
    pairs = zip(segmentations, parts, strict=True)
    return tuple(rank for one, found in pairs for rank in ranked_drift(one.column, whole, found, baseline, constraints))


def _statistics_of(given: Statistics) -> TableStatistics:
    if isinstance(given, TableStatistics):
        return given
    return read_statistics(*content_of(given))


def _constraints_of(given: Constraints) -> DataQualityConstraints:
    if isinstance(given, DataQualityConstraints):
        return given
    return read_table_constraints(*content_of(given))
