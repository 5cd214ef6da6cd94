"""The kinds of batch jobs: what each is told, and the module that does it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.errors import InputError
from driftline.pipeline.steps import Progress
from driftline.resources.baseline_jobs import BaselineSettings
from driftline.resources.batch_jobs import BatchLimits
from driftline.resources.transforms import TransformSettings
from driftline.storage.layout import Layout


class BatchDone(msgspec.Struct, frozen=True):
    """What a batch job that ended well says: its exit message, and what it counted."""

    message: str
    result: dict[str, Any] = {}


class BatchWork(msgspec.Struct, frozen=True):
    """What a runner is given: the job's name and settings, the data folder, and the service's time."""

    name: str
    settings: Any
    data: str
    now: datetime

    @property
    def layout(self) -> Layout:
        """The paths of the data folder."""
        return Layout(self.data)

    def say(self, line: str) -> None:
        """Write a line into the job's log, where what its process prints goes too."""
        path = log_of(self.layout, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")


BatchRunner = Callable[[BatchWork, Progress], BatchDone]


class Kind(msgspec.Struct, frozen=True):
    """A kind of job: the type of its settings, and the module whose function ``run`` is its :data:`BatchRunner`.

    The module is loaded by the process that does the work, and by no other.
    """

    settings: type[BatchLimits]
    module: str

    def runner(self) -> BatchRunner:
        """The function that does the work."""
        run: BatchRunner = importlib.import_module(self.module).run
        return run


KINDS: dict[str, Kind] = {
    "baseline": Kind(BaselineSettings, "driftline.jobs.baselines.job"),
    "transform": Kind(TransformSettings, "driftline.jobs.transform_job"),
}


def kind_of(name: str) -> Kind:
    """A kind by name; raises :class:`InputError` for one that there is not."""
    found = KINDS.get(name)
    if found is None:
        hint = f"use one of {', '.join(KINDS)}"
        raise InputError(f"{name[:80]!r} is no kind of batch job", hint=hint)
    return found


def read_settings(kind: str, settings: dict[str, Any]) -> Any:
    """The settings of a kind, typed; raises :class:`InputError` for what they may not be."""
    try:
        return msgspec.convert(settings, kind_of(kind).settings)
    except msgspec.ValidationError as error:
        hint = f"docs/batch_jobs.md shows what a {kind} job may be told"
        raise InputError(f"these are no settings of a {kind} job", evidence=str(error), hint=hint) from None


class Task(msgspec.Struct, frozen=True):
    """What the process of a job is given."""

    kind: str
    work: BatchWork


def work(task: Task, progress: Progress) -> BatchDone:
    """Do a job, in whichever process this is."""
    task.work.say(f"{task.kind} {task.work.name} begins in process {os.getpid()}")
    done = kind_of(task.kind).runner()(task.work, progress)
    task.work.say(done.message)
    return done


def log_of(layout: Layout, name: str) -> Path:
    """The log of a job, which is there once it has begun."""
    return layout.job(name) / "log.txt"
