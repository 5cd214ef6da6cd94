"""``record_preprocessor_script``: a user's function between captured records and the analysis."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from driftline.scripts.errors import ScriptError, ScriptReport
from driftline.scripts.handler import PREPROCESS
from driftline.scripts.host import Broken, ScriptLimits, ScriptProcess
from driftline.scripts.protocol import Answer, Failure, Task
from driftline.scripts.spool import Spool, lines_of

_MOST_ITEMS, _MOST_BYTES = 1000, 1 << 20
_SHOWN = 300
_SAMPLES = 3


class Preprocessor:
    """A script with a ``preprocess_handler``. Each call of :meth:`batches` or :meth:`lines` runs it in a process of its
    own, which sees the harmless variables of the environment and those of ``environment``.

    ``report`` tells of the latest run, also of one that broke. A script is run to its end before the first batch is
    given, so that there is never a part of a result, and all batches have one schema.
    """

    def __init__(
        self, path: str | Path, limits: ScriptLimits | None = None, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.path = Path(path)
        self.report = ScriptReport()
        self._limits = limits or ScriptLimits()
        self._environment = dict(environment or {})

    def batches(self, records: Iterable[bytes | pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows that the handler makes of capture records: lines of JSON, or Arrow batches of one column of them.

        A column is text, whole numbers, numbers or truth values by what its values are (text where they differ), the
        columns are the union of all keys, and what a row has not is null. Lines that are no capture record are counted
        in the report. Raises :class:`ScriptError` with the record that broke the script, :class:`InputError` when there
        is no such file.
        """
        return self._run(lines_of(records), lines=False)

    def lines(self, lines: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """The rows that the handler makes of lines of text, as of a baseline's CSV; otherwise as :meth:`batches`."""
        return self._run((line.rstrip("\r\n").encode("utf-8", "replace") for line in lines), lines=True)

    def _run(self, items: Iterator[bytes], *, lines: bool) -> Iterator[pa.RecordBatch]:
        began, self.report = time.monotonic(), ScriptReport()
        with Spool() as spool:
            process = ScriptProcess(self.path, PREPROCESS, self._limits, self._environment)
            broken: tuple[Failure, Sequence[bytes]] | None = None
            with process:
                for task in _tasks(items):
                    try:
                        self._take(task, process.ask(Task(task, lines)), spool)
                    except Broken as error:
                        broken = error.failure, task
                        break
                if broken is None:
                    process.finish()
            self.report = msgspec.structs.replace(
                self.report, log=process.log(), seconds=time.monotonic() - began, peak_memory=process.peak
            )
            if broken is not None:
                raise self._error(*broken)
            yield from spool.batches()

    def _take(self, task: Sequence[bytes], answer: Answer, spool: Spool) -> None:
        before = self.report
        if answer.rows:
            spool.add(answer.parts, answer.rows)
        found = (
            f"record {before.records + number + 1}: {why}: {_short(task[number])}" for number, why in answer.refused
        )
        self.report = msgspec.structs.replace(
            before,
            records=before.records + len(task),
            rows=before.rows + answer.rows,
            dropped=before.dropped + answer.dropped,
            refused=before.refused + len(answer.refused),
            samples=(*before.samples, *found)[:_SAMPLES],
        )

    def _error(self, failure: Failure, task: Sequence[bytes]) -> ScriptError:
        evidence = record = ""
        if failure.item is not None and failure.item < len(task):
            record = _short(task[failure.item])
            evidence = f"record {self.report.records + failure.item + 1}{_event(task[failure.item])}: {record}"
        return ScriptError(
            f"{self.path.name}: {failure.what}",
            evidence=evidence,
            hint=failure.hint or "try it on a few records: driftline preprocess test SCRIPT --on FILE",
            code=failure.code,
            trace=failure.trace,
            record=record,
            report=self.report,
        )


def _tasks(items: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The items in batches of at most 1000, or about 1 MB."""
    waiting: list[bytes] = []
    held = 0
    for item in items:
        waiting.append(item)
        held += len(item)
        if len(waiting) >= _MOST_ITEMS or held >= _MOST_BYTES:
            yield waiting
            waiting, held = [], 0
    # A script is loaded even when there is nothing to do, so that one that is broken is found.
    yield waiting


def _short(item: bytes) -> str:
    text = item.decode("utf-8", "replace").strip()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(item)} bytes)"


def _event(item: bytes) -> str:
    try:
        return f", event {msgspec.json.decode(item)['eventMetadata']['eventId']}"[:200]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, IndexError):
        return ""
