"""Finding refused records again: a second read, made only when there are any, with file names and places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from driftline.engine.files import exact
from driftline.engine.rejects import SAMPLES, Reject, ends_in_half_line, sample_line


class Locator:
    """Looks refused records up. ``query`` yields ``reason``, ``filename`` and ``place`` of every record."""

    def __init__(self, db: duckdb.DuckDBPyConnection, source: str, query: str, parameters: dict[str, Any]) -> None:
        self._db = db
        self._source = source
        self._query = query
        self._parameters = parameters

    def rejects(self, counts: dict[str, int]) -> tuple[Reject, ...]:
        """Every reason with its count and up to three samples, half last lines apart from other broken lines."""
        if not counts:
            return ()
        files = self._files()
        self._db.execute("SET preserve_insertion_order = true")
        rejects = [self._reject(reason, count, files.get(reason, [])) for reason, count in sorted(counts.items())]
        self._db.execute("SET preserve_insertion_order = false")
        return tuple(part for reject in rejects for part in self._apart(reject, files.get(reject.reason, [])))

    def _files(self) -> dict[str, list[str]]:
        query = f"SELECT reason, filename FROM ({self._query}) WHERE reason IS NOT NULL GROUP BY ALL ORDER BY filename"
        found: dict[str, list[str]] = {}
        for reason, name in self._db.execute(query, self._parameters).fetchall():
            found.setdefault(reason, []).append(name)
        return found

    def _reject(self, reason: str, count: int, files: list[str]) -> Reject:
        lines: list[str] = []
        for name in files[:SAMPLES]:
            lines += [sample_line(name, place) for place in self._places(reason, name)]
        return Reject(self._source, reason, count, tuple(lines[:SAMPLES]))

    def _places(self, reason: str, file: str) -> list[int]:
        """The file is read alone and in order, so that a record's place is its place among the file's lines."""
        query = f"SELECT place FROM ({self._query}) WHERE reason = $reason ORDER BY place LIMIT {SAMPLES}"
        parameters = self._parameters | {"reason": reason, "files": [exact(file)]}
        return [place for (place,) in self._db.execute(query, parameters).fetchall()]

    def _apart(self, reject: Reject, files: list[str]) -> list[Reject]:
        halves = [name for name in files if reject.reason == "broken_line" and ends_in_half_line(name)]
        if not halves:
            return [reject]
        samples = tuple(last_line(name) for name in halves[:SAMPLES])
        half = Reject(reject.source, "half_line", len(halves), samples)
        if reject.count == len(halves):
            return [half]
        kept = tuple(sample for sample in reject.samples if sample not in samples)
        return [Reject(reject.source, "broken_line", reject.count - len(halves), kept), half]


def last_line(file: str) -> str:
    """The last line of a file as a sample."""
    with Path(file).open("rb") as lines:
        records = sum(1 for line in lines if line.strip())
    return sample_line(file, records)
