"""The Spark session of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from driftline.core.uris import object_uri
from driftline.engine.payload import file_groups
from driftline.engine.spark.groups import Tasks
from driftline.engine.spark.session import open_spark
from driftline.pipeline.run import SparkSettings
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects

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
    store = None if settings.data is None or settings.store is None else FromStore(settings.data, settings.store)
    return Tasks([*file_groups(files)], store)


class FromStore(msgspec.Struct, frozen=True):
    """Gives the files of a data folder to tasks on machines that have no such folder. It travels to executors, without
    any key: their environment has them, as that of the nodes does."""

    data: str
    store: str

    def __call__(self, files: Sequence[str], folder: str) -> list[str]:
        """The files as they are here, fetched into a folder where they are not."""
        # Each in a folder of its own: names say what a file is, and their order which label is the newest.
        fetched = [str(Path(folder, f"{number:06}", Path(file).name)) for number, file in enumerate(files)]
        here = [file if Path(file).exists() else place for file, place in zip(files, fetched, strict=True)]
        objects: Objects | None = None
        for file, place in zip(files, here, strict=True):
            if file != place:
                objects = objects or open_objects(Layout(Path(folder)))
                key = Path(file).relative_to(self.data).as_posix()
                objects.fetch(object_uri(self.store) / key, Path(place))
        return here
