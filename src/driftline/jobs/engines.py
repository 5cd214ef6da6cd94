"""Where a run is measured: by this machine, or by Spark, as its schedule says and the environment allows."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from driftline.core.errors import SetupError
from driftline.engine.files import list_files
from driftline.jobs.attributes import DataAttributes, data_attributes
from driftline.jobs.shared.store import VARIABLE as STORE
from driftline.pipeline import DataQualityRun, ProgramRun, Run
from driftline.pipeline.run import SparkSettings
from driftline.resources.schedules import Schedule
from driftline.storage.layout import Layout

VARIABLE = "DRIFTLINE_SPARK"
"""The variable that says where Spark is: a master (``spark://HOST:PORT``, ``local[4]``) or Spark Connect (``sc://…``)."""
ABOVE = "DRIFTLINE_SPARK_ABOVE"
"""The variable that says from how many bytes of captures on a window is given to Spark, where the schedule leaves it
open."""
MANY_BYTES = 20 << 30


def placed(layout: Layout, run: Run, schedule: Schedule) -> Run:
    """A run with the engine that is to measure it. Raises :class:`SetupError` where the schedule asks for Spark and
    none is configured."""
    attributes = data_attributes(schedule.attributes)
    if isinstance(run, ProgramRun) or attributes.engine == "local":
        return run
    master = os.environ.get(VARIABLE, "").strip()
    if attributes.engine == "spark":
        if not master:
            raise SetupError(
                f"schedule {schedule.name} asks for Spark, and none is configured",
                evidence=f"{VARIABLE} is not set where the scheduler runs",
                hint=f"set {VARIABLE} to a master such as spark://HOST:PORT, or the schedule's engine to local",
            )
        return _on_spark(layout, run, master)
    if not master or _bound_here(run, attributes) or _bytes(run) < _above():
        return run
    return _on_spark(layout, run, master)


def _on_spark(layout: Layout, run: Run, master: str) -> Run:
    store = os.environ.get(STORE, "").strip() or None
    return msgspec.structs.replace(run, spark=SparkSettings(master, str(layout.data), store))


def _bound_here(run: Run, attributes: DataAttributes) -> bool:
    """Whether the run has code or files that are this machine's alone."""
    scripted = isinstance(run, DataQualityRun) and bool(attributes.preprocessor or attributes.analyzers)
    return scripted or run.transform is not None


def _bytes(run: Run) -> int:
    """The size of the window's captures; 0 where there are none."""
    if not Path(run.captures).exists():
        return 0
    return sum(Path(file).stat().st_size for file in list_files(run.captures, run.window))


def _above() -> int:
    given = os.environ.get(ABOVE, "").strip() or str(MANY_BYTES)
    if not given.isdigit():
        raise SetupError(f"{ABOVE} is no number of bytes", evidence=given[:40], hint="give a whole number")
    return int(given)
