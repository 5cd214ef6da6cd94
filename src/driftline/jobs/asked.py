"""What a schedule asks the pipeline for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.core.analysis_documents import read_attribution, read_bias
from driftline.core.analysis_settings import AnalysisConfig, BiasConfig, ShapConfig
from driftline.core.documents import read_constraints
from driftline.core.table_constraints_document import read_table_constraints
from driftline.core.table_statistics_reader import read_statistics
from driftline.core.window import Window
from driftline.jobs.attributes import data_attributes, output_attributes
from driftline.jobs.places import output_of, places_of
from driftline.jobs.transform_schedules import of_transforms
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.quality.estimation import estimate_of
from driftline.pipeline import (
    AttributionRun,
    BiasRun,
    DataQualityRun,
    ModelQualityRun,
    ProgramRun,
    Run,
    read_calibration,
)
from driftline.pipeline.programs import read_programs
from driftline.resources.executions import Execution
from driftline.resources.schedules import Schedule
from driftline.stats.hindsight import RECENT
from driftline.storage import baselines, endpoints, executions, schedules
from driftline.storage.layout import Layout

LABELLED = ("model-quality", "bias")
"""The monitors whose judgement rests on labels."""
_SHARE = 0.9
"""In how much of a run's time its program must end, so that its log and the reason are known before it is killed."""


def asked(
    layout: Layout, schedule: Schedule, window: Window, as_of: datetime, analysis: AnalysisConfig | None = None
) -> Run:
    """The run of a window with what is there at ``as_of``; not yet what it is held against. ``analysis`` is what a
    schedule of bias or of attributions analyses, see :func:`driftline.jobs.analyses.analysis_of`.

    Raises :class:`NotFoundError` for a program that the operator's file does not name any longer.
    """
    return of_transforms(layout, schedule, _asked(layout, schedule, window, as_of, analysis))


def _asked(layout: Layout, schedule: Schedule, window: Window, as_of: datetime, analysis: AnalysisConfig | None) -> Run:
    program = data_attributes(schedule.attributes).program
    if program is not None:
        return _program(layout, schedule, window, as_of, program)
    if analysis is not None and analysis.attribution is not None and schedule.monitor == "attribution":
        return _attribution(layout, schedule, window, as_of, analysis, analysis.attribution)
    if analysis is not None and analysis.bias is not None and schedule.monitor == "bias":
        return _bias(layout, schedule, window, as_of, analysis, analysis.bias)
    return _RUNS[schedule.monitor](layout, schedule, window, as_of)


def held(connection: Connection, layout: Layout, run: Run, schedule: Schedule, execution: Execution) -> Run:
    """A run with the baseline of its schedule; of model quality also how well earlier windows were estimated, of
    attributions the model as it is now."""
    if isinstance(run, AttributionRun):
        run = _explained(connection, layout, run, schedule)
    if isinstance(run, ModelQualityRun) and not _decoding(connection, schedule.endpoint):
        # Reading two fields of a line is several times cheaper than decoding it, but not where that is done anyway.
        run = msgspec.structs.replace(run, decoded=None)
    if schedule.baseline is None:
        return run
    source = f"baseline {schedule.baseline}"
    stored = baselines.get(connection, schedule.baseline)
    if isinstance(run, ProgramRun):
        return _held_program(run, schedule, stored)
    if isinstance(run, DataQualityRun):
        return msgspec.structs.replace(
            run,
            constraints=read_table_constraints(stored.constraints, source),
            baseline=read_statistics(stored.statistics, source) if stored.statistics.strip() != b"{}" else None,
        )
    if isinstance(run, AttributionRun):
        return msgspec.structs.replace(run, constraints=read_attribution(stored.constraints, source))
    if isinstance(run, BiasRun):
        return msgspec.structs.replace(run, constraints=read_bias(stored.constraints, source))
    calibration = read_calibration(stored.statistics, source)
    return msgspec.structs.replace(
        run,
        constraints=read_constraints(stored.constraints, source),
        calibration=calibration,
        history=_history(connection, execution) if calibration is not None else (),
    )


def _decoding(connection: Connection, endpoint: str) -> bool:
    """Whether any schedule of an endpoint wants the columns of its captures."""
    found = schedules.listing(connection, endpoint=endpoint)
    return any(_sees_columns(one) for one in found)


def _sees_columns(schedule: Schedule) -> bool:
    """A preprocessing script is given records and a program the files."""
    attributes = data_attributes(schedule.attributes)
    if attributes.program or attributes.preprocessor:
        return False
    return schedule.monitor != "model-quality" or bool(attributes.segments)


def _model_quality(layout: Layout, schedule: Schedule, window: Window, as_of: datetime) -> ModelQualityRun:
    columns, where = data_attributes(schedule.attributes), places_of(layout, schedule)
    return ModelQualityRun(
        captures=str(where.captures),
        labels=str(where.labels),
        problem_type=schedule.problem_type,
        attributes=output_attributes(schedule.attributes),
        window=window,
        as_of=as_of,
        minimum_sample=int(schedule.attributes.get("minimum_sample", MINIMUM_SAMPLE)),
        pieces=str(where.pieces),
        decoded=str(where.decoded),
        segments=columns.segments,
        segment_metric=schedule.attributes.get("segment_metric"),
        names=columns.names,
        merged=columns.output is not None,
    )


def _bias(
    layout: Layout,
    schedule: Schedule,
    window: Window,
    as_of: datetime,
    analysis: AnalysisConfig,
    bias: BiasConfig,
) -> BiasRun:
    columns, where = data_attributes(schedule.attributes), places_of(layout, schedule)
    threshold = {"probability_threshold": bias.probability_threshold}
    return BiasRun(
        captures=str(where.captures),
        labels=str(where.labels),
        bias=bias,
        attributes=output_attributes(threshold | schedule.attributes),
        rule=columns.rule,
        names=columns.names or analysis.captured_names,
        names_of_inputs=not columns.names,
        window=window,
        as_of=as_of,
        minimum_sample=columns.minimum_sample,
        pieces=str(where.pieces),
        decoded=str(where.decoded),
        merged=columns.output is not None,
    )


def _attribution(
    layout: Layout,
    schedule: Schedule,
    window: Window,
    as_of: datetime,
    analysis: AnalysisConfig,
    shap: ShapConfig,
) -> AttributionRun:
    columns, where = data_attributes(schedule.attributes), places_of(layout, schedule)
    return AttributionRun(
        captures=str(where.captures),
        shap=shap,
        names=columns.names or analysis.captured_names,
        names_of_inputs=not columns.names,
        exclude=columns.exclude,
        classes=analysis.predictor.label_headers,
        rows=columns.rows,
        rule=columns.rule,
        threshold=columns.threshold,
        window=window,
        as_of=as_of,
        minimum_sample=columns.minimum_sample,
        decoded=str(where.decoded),
    )


def _explained(connection: Connection, layout: Layout, run: AttributionRun, schedule: Schedule) -> AttributionRun:
    """With the model that the endpoint serves, or the server that it forwards to."""
    endpoint = endpoints.get(connection, schedule.endpoint)
    model = str(layout.data / endpoint.model_path) if endpoint.model_path else None
    return msgspec.structs.replace(run, model=model, url=None if model else endpoint.upstream)


def _data_quality(layout: Layout, schedule: Schedule, window: Window, as_of: datetime) -> DataQualityRun:
    attributes, where = data_attributes(schedule.attributes), places_of(layout, schedule)
    return DataQualityRun(
        captures=str(where.captures),
        names=attributes.names,
        exclude=attributes.exclude,
        segments=attributes.segments,
        preprocessor=_script(layout, attributes.preprocessor),
        postprocessor=_script(layout, attributes.postprocessor),
        analyzers=tuple(_analyzer(layout, name) for name in attributes.analyzers),
        endpoint=schedule.endpoint,
        schedule=schedule.name,
        window=window,
        as_of=as_of,
        minimum_sample=attributes.minimum_sample,
        pieces=str(where.pieces),
        decoded=str(where.decoded),
    )


def _program(layout: Layout, schedule: Schedule, window: Window, as_of: datetime, name: str) -> ProgramRun:
    labelled, where = schedule.monitor in LABELLED, places_of(layout, schedule)
    return ProgramRun(
        name=name,
        program=read_programs(layout.data).find(name),
        seconds=_SHARE * schedule.time_limit,
        captures=str(where.captures),
        labels=str(where.labels) if labelled else None,
        window=window,
        as_of=as_of,
        endpoint=schedule.endpoint,
        schedule=schedule.name,
        merged=labelled and output_of(schedule) is not None,
    )


def _held_program(run: ProgramRun, schedule: Schedule, stored: baselines.Baseline) -> ProgramRun:
    """The baseline's files as they are; of data quality they also say whether metrics are published."""
    publish = True
    if schedule.monitor == "data-quality":
        constraints = read_table_constraints(stored.constraints, f"baseline {schedule.baseline}")
        publish = constraints.emit_metrics != "Disabled"
    statistics = stored.statistics if stored.statistics.strip() != b"{}" else None
    return msgspec.structs.replace(run, constraints=stored.constraints, statistics=statistics, publish_metrics=publish)


def _script(layout: Layout, name: str | None) -> str | None:
    return None if name is None else str(layout.script(name))


def _analyzer(layout: Layout, name: str) -> str:
    """An entry point, or a file in the folder of scripts: nobody may name code elsewhere over the network."""
    file, colon, kind = name.partition(":")
    return f"{layout.script(file)}:{kind}" if colon else name


_RUNS: dict[str, Callable[[Layout, Schedule, Window, datetime], Run]] = {
    "model-quality": _model_quality,
    "data-quality": _data_quality,
}


def _history(connection: Connection, execution: Execution) -> tuple[dict[str, bool | None], ...]:
    """Of earlier windows of the schedule, oldest first, which metrics lay within their estimates when labels came."""
    earlier = executions.listing(connection, schedule=execution.schedule, until=execution.tick, limit=RECENT)
    whole = [executions.get(connection, row.id) for row in reversed(earlier)]
    return tuple(found for row in whole if (found := estimate_of(row.statistics).get("within")) is not None)
