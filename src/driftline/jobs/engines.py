"""Where a run is measured: by this machine, or by Spark, as its schedule says and the environment allows."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from driftline.core.configuration import SPARK, SPARK_ABOVE, STORE
from driftline.core.errors import SetupError
from driftline.engine.files import list_files
from driftline.jobs.attributes import DataAttributes, data_attributes
from driftline.pipeline import DataQualityRun, ProgramRun, Run
from driftline.pipeline.run import SparkSettings
from driftline.resources.schedules import Schedule
from driftline.storage.layout import Layout


def placed(layout: Layout, run: Run, schedule: Schedule) -> Run:
    """A run with the engine that is to measure it. Raises :class:`SetupError` where the schedule asks for Spark and
    none is configured."""
    attributes = data_attributes(schedule.attributes)
    if isinstance(run, ProgramRun) or attributes.engine == "local":
        return run
    master = SPARK.of(os.environ)
    if attributes.engine == "spark":
        if not master:
            raise SetupError(
                f"schedule {schedule.name} asks for Spark, and none is configured",
                evidence=f"{SPARK.name} is not set where the scheduler runs",
                hint=f"set {SPARK.name} to a master such as spark://HOST:PORT, or the schedule's engine to local",
            )
        return _on_spark(layout, run, master)
    if not master or _bound_here(run, attributes) or _bytes(run) < SPARK_ABOVE.of(os.environ):
        return run
    return _on_spark(layout, run, master)


def _on_spark(layout: Layout, run: Run, master: str) -> Run:
    return msgspec.structs.replace(run, spark=SparkSettings(master, str(layout.data), STORE.of(os.environ) or None))


def _bound_here(run: Run, attributes: DataAttributes) -> bool:
    """Whether the run has code or files that are this machine's alone."""
    scripted = isinstance(run, DataQualityRun) and bool(attributes.preprocessor or attributes.analyzers)
    return scripted or run.transform is not None


def _bytes(run: Run) -> int:
    """The size of the window's captures; 0 where there are none."""
    if not Path(run.captures).exists():
        return 0
    return sum(Path(file).stat().st_size for file in list_files(run.captures, run.window))
