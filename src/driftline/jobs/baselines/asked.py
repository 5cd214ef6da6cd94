"""What a baseline job works with: its settings, the objects, and folders that are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from driftline.core.errors import InputError
from driftline.jobs.baselines.staging import staged_file
from driftline.pipeline.steps import Progress
from driftline.resources.baseline_jobs import BaselineSettings
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects


class Asked(msgspec.Struct, frozen=True):
    """A baseline job at work. ``scratch`` is for what is read; what is left in ``output`` is written to the bucket.

    ``say`` writes a line into the job's log.
    """

    settings: BaselineSettings
    layout: Layout
    objects: Objects
    scratch: Path
    output: Path
    now: datetime
    progress: Progress
    say: Callable[[str], None]

    def constraints(self) -> Path:
        """The constraints that the dataset is held against, as a file."""
        return self._file(self.settings.constraints, "constraints.json")

    def statistics(self) -> Path | None:
        """The statistics that distributions are compared with, as a file; None where none are named."""
        return None if self.settings.statistics is None else self._file(self.settings.statistics, "statistics.json")

    def model(self) -> Path:
        """The model's file; raises :class:`InputError` for one that is not named, or not in the data folder."""
        data = self.layout.data.resolve()
        if self.settings.model is None:
            raise InputError("the dataset has no predictions, and no model is named", hint="name a model")
        path = (data / self.settings.model).resolve()
        if not path.is_relative_to(data):
            hint = "name a model by its path in the data folder"
            raise InputError("the model is not in the data folder", evidence=self.settings.model, hint=hint)
        return path

    def _file(self, uri: str | None, name: str) -> Path:
        return staged_file(self.objects, uri or "", self.scratch / "against" / name)
