"""Finding refused records again: a second read, made only when there are any, with file names and places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

from driftline.engine.rejects import SAMPLES, Reject
from driftline.engine.sources import Sources, used


class Locator:
    """Looks refused records up in ``sources``. ``query`` of some of them yields ``reason``, ``filename`` and ``place``
    of every record; ``parameters`` are those of the query beside the files."""

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        source: str,
        query: Callable[[Sources], str],
        sources: Sources,
        parameters: dict[str, Any],
    ) -> None:
        self._db = db
        self._source = source
        self._query = query
        self._sources = sources
        self._parameters = parameters

    def rejects(self, counts: dict[str, int]) -> tuple[Reject, ...]:
        """Every reason with its count and up to three samples, half last lines apart from other broken lines."""
        if not counts:
            return ()
        files = self._files()
        self._db.execute("SET preserve_insertion_order = true")
        places = {name: self._places(name) for name in {one for names in files.values() for one in names[:SAMPLES]}}
        self._db.execute("SET preserve_insertion_order = false")
        found = []
        for reason, count in sorted(counts.items()):
            names = files.get(reason, [])
            sample = self._sources.sample
            samples = [sample(name, place) for name in names[:SAMPLES] for place in places[name].get(reason, [])]
            found += self._apart(Reject(self._source, reason, count, tuple(samples[:SAMPLES])), names)
        return tuple(found)

    def _files(self) -> dict[str, list[str]]:
        chosen = "SELECT reason, filename FROM ({}) WHERE reason IS NOT NULL GROUP BY ALL ORDER BY filename"
        found: dict[str, list[str]] = {}
        for reason, name in self._fetched(chosen, self._sources):
            found.setdefault(reason, []).append(name)
        return found

    def _places(self, file: str) -> dict[str, list[int]]:
        """The first refused records of each reason in a file.

        It is read alone and in order, so that a record's place is its place among the file's lines.
        """
        chosen = f"SELECT reason, min(place, {SAMPLES}) FROM ({{}}) WHERE reason IS NOT NULL GROUP BY reason"
        return dict(self._fetched(chosen, self._sources.only(file)))

    def _fetched(self, chosen: str, sources: Sources) -> list[Any]:
        statement = chosen.format(self._query(sources))
        return self._db.execute(statement, used(statement, self._parameters | sources.parameters())).fetchall()

    def _apart(self, reject: Reject, files: list[str]) -> list[Reject]:
        halves = [name for name in files if reject.reason == "broken_line" and self._sources.ends_in_half_line(name)]
        if not halves:
            return [reject]
        samples = tuple(self._sources.last(name) for name in halves[:SAMPLES])
        half = Reject(reject.source, "half_line", len(halves), samples)
        if reject.count == len(halves):
            return [half]
        kept = tuple(sample for sample in reject.samples if sample not in samples)
        return [Reject(reject.source, "broken_line", reject.count - len(halves), kept), half]
