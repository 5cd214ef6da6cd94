"""The Spark session of a run."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from driftline.engine.payload import file_groups
from driftline.engine.spark.groups import Tasks
from driftline.engine.spark.session import open_spark
from driftline.pipeline.run import SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def session(settings: SparkSettings, stack: ExitStack) -> SparkSession:
    """The session at the master; one that is opened for a run ends with it, one that was there stays."""
    from pyspark.sql import SparkSession

    before = SparkSession.getActiveSession()
    opened = open_spark(settings.master)
    if opened is not before:
        stack.callback(opened.stop)
    return opened


def tasks_of(files: list[str], settings: SparkSettings) -> Tasks:
    """The tasks that read files, of as many bytes each as one machine takes at a time."""
    return Tasks([*file_groups(files)])
