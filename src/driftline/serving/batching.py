"""Requests that arrive in one turn of the event loop are answered together: one prediction and one write."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import numpy as np

from driftline.core.errors import DriftlineError, ModelError
from driftline.serving.capture_log import CaptureLog
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import Endpoint
from driftline.serving.errors import PredictionError
from driftline.serving.payload import ANSWER_TYPES, format_answer
from driftline.serving.runtime import Model

_log = logging.getLogger(__name__)


class Job(msgspec.Struct, eq=False):
    """One request in a batch: its rows (``count`` of them, as :mod:`driftline.serving.payload` packs them), and the
    media type of its answer. ``done`` is resolved when ``exchange`` holds the answer and its record is written."""

    endpoint: Endpoint
    model: Model
    rows: bytes
    count: int
    answer_type: str
    exchange: Exchange
    done: asyncio.Future[None]


class Batcher:
    """Collects the jobs of one turn of the running loop. Every job's rows were parsed by themselves."""

    def __init__(self, capture_log: CaptureLog) -> None:
        self._capture_log = capture_log
        self._jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        """Adds a job to this turn's batch."""
        if not self._jobs:
            job.done.get_loop().call_soon(self._flush)
        self._jobs.append(job)

    def _flush(self) -> None:
        jobs, self._jobs = self._jobs, []
        first = jobs[0].endpoint
        if all(job.endpoint is first for job in jobs):
            self._answer(jobs)
            return
        groups: dict[int, list[Job]] = {}
        for job in jobs:
            groups.setdefault(id(job.endpoint), []).append(job)
        for group in groups.values():
            self._answer(group)

    def _answer(self, jobs: list[Job]) -> None:
        """Answers the jobs of one endpoint: each is resolved, whatever happens."""
        try:
            answered = _predicted(jobs)
            if answered:
                self._capture_log.append(answered[0].endpoint.config, [job.exchange for job in answered])
        except Exception as error:  # a job left unresolved would hang its client
            _log.exception("endpoint %s: a batch failed", jobs[0].endpoint.config.name)
            for job in jobs:
                _resolve(job, DriftlineError(f"the server failed: {type(error).__name__}", hint="see its log"))
            return
        for job in answered:
            _resolve(job, None)


def _predicted(jobs: list[Job]) -> list[Job]:
    """The jobs that now have an answer; the others are resolved with their error."""
    try:
        _predict(jobs)
        return jobs
    except Exception as error:
        if len(jobs) == 1:
            _resolve(jobs[0], _failure(jobs[0], error))
            return []
    # One by one, so that a row the model cannot bear fails its own sender only.
    return [job for single in jobs for job in _predicted([single])]


def predicted(model: Model, packed: bytes) -> list[Any]:
    """The answers of a model to rows that were parsed: a value, or a list of values, for each.

    Raises :class:`ModelError` for a model that answers another number of rows.
    """
    rows = np.frombuffer(packed, dtype="<f4").reshape(-1, model.n_features)
    answers: list[Any] = model.predict(rows).tolist()
    if len(answers) != len(rows):
        raise ModelError(f"the model gave {len(answers)} answers for {len(rows)} rows", hint="check the model")
    return answers


def _predict(jobs: list[Job]) -> None:
    model = jobs[0].model
    answers = predicted(model, jobs[0].rows if len(jobs) == 1 else b"".join([job.rows for job in jobs]))
    start = 0
    for job in jobs:
        job.exchange.answer = format_answer(
            answers[start : start + job.count], job.answer_type, plain=model.plain_answers
        )
        job.exchange.answer_type = ANSWER_TYPES[job.answer_type]
        start += job.count


def _failure(job: Job, error: Exception) -> DriftlineError:
    name = job.endpoint.config.name
    _log.warning("endpoint %s: a prediction failed: %s", name, error)
    if isinstance(error, DriftlineError):
        return PredictionError(f"endpoint {name}: {error.what}", evidence=error.evidence, hint=error.hint)
    return PredictionError(
        f"the model of endpoint {name} failed on these rows",
        evidence=f"{type(error).__name__}: {error}"[:300],
        hint="compare the values with the training data, and see the server's log",
    )


def _resolve(job: Job, error: DriftlineError | None) -> None:
    if job.done.done():  # its client went away, or the server is stopping
        return
    if error is None:
        job.done.set_result(None)
    else:
        job.done.set_exception(error)
