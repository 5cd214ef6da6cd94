"""The error of a user's script, and what is kept of its run."""

from __future__ import annotations

import msgspec

from driftline.core.errors import InputError


class ScriptReport(msgspec.Struct, frozen=True):
    """What a script did: ``records`` it was given, ``rows`` it gave, records it ``dropped`` with an empty list, lines
    that were no capture record (``refused``, with up to three ``samples``), the ``seconds`` of the whole, the most
    bytes resident in its process, and what it printed and logged."""

    log: str = ""
    records: int = 0
    rows: int = 0
    dropped: int = 0
    refused: int = 0
    samples: tuple[str, ...] = ()
    seconds: float = 0.0
    peak_memory: int = 0


class ScriptError(InputError):
    """A script that broke. ``record`` is what it was given at that moment, shortened; ``trace`` its traceback.

    ``code`` is script, time_limit, memory_limit or result_limit.
    """

    def __init__(
        self,
        what: str,
        *,
        evidence: str = "",
        hint: str = "",
        code: str = "script",
        trace: str = "",
        record: str = "",
        report: ScriptReport | None = None,
    ) -> None:
        super().__init__(what, evidence=evidence, hint=hint)
        self.code = code
        self.trace = trace
        self.record = record
        self.report = report or ScriptReport()

    def as_dict(self) -> dict[str, str]:
        """As every error, with the traceback and the log."""
        return super().as_dict() | {"trace": self.trace, "log": self.report.log}
