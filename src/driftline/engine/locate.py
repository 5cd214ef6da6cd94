"""Finding refused records again: a second read, made only when there are any, with file names and places."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

from driftline.engine.files import exact
from driftline.engine.rejects import SAMPLES, Reject, ends_in_half_line, sample_line

_BROKEN = "broken_line"


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
        halves = [name for name in files.get(_BROKEN, ()) if ends_in_half_line(name)]
        shown = {reason: _shown(names, halves if reason == _BROKEN else ()) for reason, names in files.items()}
        self._db.execute("SET preserve_insertion_order = true")
        places = {name: self._places(name) for name in {one for names in shown.values() for one in names}}
        self._db.execute("SET preserve_insertion_order = false")
        found = []
        for reason, count in sorted(counts.items()):
            names = shown.get(reason, ())
            samples = [sample_line(name, place) for name in names for place in places[name].get(reason, [])]
            if reason == _BROKEN and halves:
                last = [last_line(name) for name in names if name in halves]
                found += self._apart(count, [sample for sample in samples if sample not in last], halves)
            else:
                found.append(Reject(self._source, reason, count, tuple(samples[:SAMPLES])))
        return tuple(found)

    def _files(self) -> dict[str, dict[str, int]]:
        """By reason the files, in the order of their paths, and how many records of each it holds against."""
        query = f"""SELECT reason, filename, count(*) FROM ({self._query}) WHERE reason IS NOT NULL
                    GROUP BY ALL ORDER BY filename"""
        found: dict[str, dict[str, int]] = {}
        for reason, name, count in self._db.execute(query, self._parameters).fetchall():
            found.setdefault(reason, {})[name] = count
        return found

    def _places(self, file: str) -> dict[str, list[int]]:
        """The first refused records of each reason in a file.

        It is read alone and in order, so that a record's place is its place among the file's lines.
        """
        query = f"SELECT reason, min(place, {SAMPLES}) FROM ({self._query}) WHERE reason IS NOT NULL GROUP BY reason"
        return dict(self._db.execute(query, self._parameters | {"files": [exact(file)]}).fetchall())

    def _apart(self, count: int, samples: list[str], halves: list[str]) -> list[Reject]:
        """The broken lines that are no half last lines, of which there are these samples, and those that are."""
        half = Reject(self._source, "half_line", len(halves), tuple(map(last_line, halves[:SAMPLES])))
        if count == len(halves):
            return [half]
        return [Reject(self._source, _BROKEN, count - len(halves), tuple(samples[:SAMPLES])), half]


def _shown(files: dict[str, int], halves: Collection[str]) -> list[str]:
    """The first files that have a sample to show; a half last line is shown apart."""
    return [name for name, count in files.items() if count > (name in halves)][:SAMPLES]


def last_line(file: str) -> str:
    """The last line of a file as a sample."""
    with Path(file).open("rb") as lines:
        records = sum(1 for line in lines if line.strip())
    return sample_line(file, records)
