"""What all baselines and checks of tables can do: be written into a folder, be shown in a notebook, say a verdict."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.documents import Violation
from driftline.core.verdict import Judgement, Verdict
from driftline.engine.rejects import Reject
from driftline.pipeline.documents import write_documents
from driftline.pipeline.report import Frame, framed

REPORT = "report.html"


class _Abstract(ABCMeta, msgspec.StructMeta):
    """Structs of which some methods are left to whoever derives from them."""


class Found(msgspec.Struct, frozen=True, metaclass=_Abstract):
    """What was found in a table, as files and as a page; in a notebook it is shown as the page."""

    def write(self, folder: str | Path) -> list[Path]:
        """Write the documents as JSON, and ``report.html``; returns their paths."""
        return write_documents(self.documents() | {REPORT: self.page()}, folder)

    @abstractmethod
    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""

    @abstractmethod
    def page(self) -> str:
        """The report, one self-contained HTML page."""

    def _repr_html_(self) -> str:
        return framed(self.page())


class Judged(Found, frozen=True):
    """What a check found. True when the verdict is OK; prints as its verdict with all that speaks against."""

    judgement: Judgement
    violations: tuple[Violation, ...]

    @property
    def verdict(self) -> Verdict:
        """OK, VIOLATED or UNKNOWN."""
        return self.judgement.verdict

    def frame(self, title: str, generated: str, rejects: tuple[Reject, ...]) -> Frame:
        """What its page tells beside what was measured."""
        return Frame(title, generated, self.judgement, violations=self.violations, rejects=rejects)

    @abstractmethod
    def rows_judged(self) -> int:
        """How many rows the verdict rests on."""

    def __bool__(self) -> bool:
        return self.verdict is Verdict.OK

    def __str__(self) -> str:
        found = [violation.line for violation in self.violations]
        found += [reason.message for reason in self.judgement.reasons]
        return "\n".join([f"{self.verdict} (n = {self.rows_judged()})", *(f"  {line}" for line in found)])
