"""Rows of a window that show how a feature moved: those where there is more now than in the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import DriftlineError
from driftline.core.window import Window
from driftline.engine.files import list_files
from driftline.engine.payload import Reading, features, keys
from driftline.jobs.asked import asked
from driftline.monitors.data_quality.samples import MASK, NUMBER
from driftline.pipeline.decoded import DecodedCaptures
from driftline.pipeline.pieces import cut
from driftline.pipeline.run import DataQualityRun
from driftline.reporting.features import Feature
from driftline.reporting.matrix import class_label
from driftline.reporting.report import TableReport
from driftline.reporting.text import number, percent, shorten
from driftline.service import Service
from driftline.service.dashboard.analyses import Analysis
from driftline.service.dashboard.sample_records import COLUMNS, Records, table_of

MOST_ROWS = 10
_CELLS, _MOST_BATCHES = 400_000, 8
"""How large batches of kept rows are, and how many are looked through: a page must not read a whole day."""
_MOST_HOURS = 24


class Region(msgspec.Struct, frozen=True):
    """Where a feature has more values now: from ``low`` to below ``high``, or texts; in ``words``."""

    words: str
    low: float = -math.inf
    high: float = math.inf
    texts: tuple[str, ...] = ()


class SampleRows(msgspec.Struct, frozen=True):
    """Rows of a window, and where in the feature's distribution they lie."""

    why: str
    table: Records


def region_of(feature: Feature, new: tuple[str, ...] = ()) -> Region | None:
    """Where there is most more of a feature than in the baseline; ``new`` texts are what the baseline did not have."""
    if new:
        return Region(f"with {', '.join(class_label(text) for text in new[:3])}, which is new", texts=new[:20])
    numbers = feature.numbers
    if numbers is not None and numbers.now and numbers.was:
        return _bin(feature)
    return _text(feature)


def _bin(feature: Feature) -> Region | None:
    found = feature.numbers
    if found is None:
        return None
    apart = np.asarray(found.now) - np.asarray(found.was)
    place = int(apart.argmax())
    if apart[place] <= 0:
        return None
    low, high = found.edges[place], found.edges[place + 1]
    shares = f"{percent(found.now[place], 1.0)} of the values now and {percent(found.was[place], 1.0)} in the baseline"
    words = f"from {number(low)} to {number(high)}, where {shares} lie"
    last = place == len(found.now) - 1
    return Region(words, -math.inf if place == 0 and found.tails else low, math.inf if last else high)


def _text(feature: Feature) -> Region | None:
    sides = [{} if one is None or one.string is None else dict(one.string.categories) for one in _sides(feature)]
    rows = [max(1, 0 if one is None else one.num_present) for one in _sides(feature)]
    now, was = ({text: count / rows[at] for text, count in side.items()} for at, side in enumerate(sides))
    if not now or not was:
        return None
    text = max(now, key=lambda one: now[one] - was.get(one, 0.0))
    shares = f"{percent(now[text], 1.0)} of the values now and {percent(was.get(text, 0.0), 1.0)} in the baseline"
    return (
        Region(f"with {class_label(text)}, which is {shares}", texts=(text,)) if now[text] > was.get(text, 0) else None
    )


def _sides(feature: Feature) -> tuple[Any, Any]:
    return feature.now, feature.was


def sample_rows(service: Service, analysis: Analysis, feature: Feature, region: Region) -> SampleRows | None:
    """At most :data:`MOST_ROWS` rows of the region, from what is kept of the window's decoded captures.

    None where nothing is kept, none is found in the first batches, or the values are sensitive. Values of other
    sensitive features are masked.
    """
    report = analysis.report
    if feature.sensitive or not isinstance(report, TableReport):
        return None
    found: list[_Row] = []
    try:
        for batch in islice(_batches(service, analysis), _MOST_BATCHES):
            found += _found(batch, feature.name, region, _hidden(report), MOST_ROWS - len(found))
            if len(found) == MOST_ROWS:
                break
    except (DriftlineError, OSError, pa.ArrowException):
        return None
    if not found:
        return None
    table = table_of([row.id for row in found], [row.fields for row in found])
    return SampleRows(region.words, msgspec.structs.replace(table, more=found[0].columns - len(table.columns)))


class _Row(msgspec.Struct, frozen=True):
    """A row: its id, its first fields, and how many columns it has."""

    id: str
    fields: dict[str, Any]
    columns: int


def _found(batch: pa.RecordBatch, name: str, region: Region, hidden: frozenset[str], most: int) -> list[_Row]:
    rows, ids = features(batch), keys(batch).column(0)
    if name not in rows.schema.names:
        return []
    return [
        _Row(shorten(ids[row].as_py() or "", 48), _fields(rows, row, name, hidden), rows.num_columns)
        for row in _rows(rows.column(name), region, most)
    ]


def _hidden(report: TableReport) -> frozenset[str]:
    given = () if report.constraints is None else report.constraints.features
    return frozenset(one.name for one in given if one.override is not None and one.override.sensitive)


def _batches(service: Service, analysis: Analysis) -> Iterator[pa.RecordBatch]:
    head = analysis.head
    window = Window(head.window_start, head.window_end)
    run = asked(service.layout, analysis.schedule, window, service.now())
    if not isinstance(run, DataQualityRun) or run.preprocessor is not None or run.decoded is None:
        return
    baseline = analysis.report.baseline if isinstance(analysis.report, TableReport) else None
    names = run.names or (() if baseline is None else tuple(one.name for one in baseline.features))
    kept = DecodedCaptures(run.decoded, Reading(tuple(names)))
    for hour in islice(cut(window), _MOST_HOURS):
        yield from kept.kept(list_files(run.captures, hour), hour, _CELLS)


def _rows(column: pa.Array[Any], region: Region, most: int) -> list[int]:
    if region.texts:
        inside = pc.is_in(column.cast(pa.string()), value_set=pa.array(region.texts, pa.string()))
    else:
        numbers = _numbers(column)
        inside = pc.and_(pc.greater_equal(numbers, region.low), pc.less(numbers, region.high))
    found: list[int] = pc.indices_nonzero(pc.fill_null(inside, False))[:most].to_pylist()
    return found


def _numbers(column: pa.Array[Any]) -> Any:
    """A column as numbers; what is none is missing. Texts stay texts where a number would lose some of them."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.match_substring_regex(text, NUMBER), text, pa.scalar(None, text.type))
    return column.cast(pa.float64())


def _fields(rows: pa.RecordBatch, row: int, first: str, hidden: frozenset[str]) -> dict[str, Any]:
    """The feature itself, then the first others."""
    names = [first, *(name for name in rows.schema.names if name != first)][:COLUMNS]
    return {name: MASK if name in hidden else rows.column(name)[row].as_py() for name in names}
