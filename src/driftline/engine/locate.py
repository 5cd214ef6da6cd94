"""Finding refused records again: a second read, made only when there are any, with file names and places."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import duckdb

from driftline.engine.rejects import SAMPLES, Reject
from driftline.engine.sources import Sources, used

_BROKEN = "broken_line"


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
        halves = [name for name in files.get(_BROKEN, ()) if self._sources.ends_in_half_line(name)]
        shown = {reason: _shown(names, halves if reason == _BROKEN else ()) for reason, names in files.items()}
        self._db.execute("SET preserve_insertion_order = true")
        places = {name: self._places(name) for name in {one for names in shown.values() for one in names}}
        self._db.execute("SET preserve_insertion_order = false")
        found = []
        for reason, count in sorted(counts.items()):
            names = shown.get(reason, ())
            sample = self._sources.sample
            samples = [sample(name, place) for name in names for place in places[name].get(reason, [])]
            if reason == _BROKEN and halves:
                last = [self._sources.last(name) for name in names if name in halves]
                found += self._apart(count, [one for one in samples if one not in last], halves)
            else:
                found.append(Reject(self._source, reason, count, tuple(samples[:SAMPLES])))
        return tuple(found)

    def _files(self) -> dict[str, dict[str, int]]:
        """By reason the files, in the order of their paths, and how many records of each it holds against."""
        chosen = "SELECT reason, filename, count(*) FROM ({}) WHERE reason IS NOT NULL GROUP BY ALL ORDER BY filename"
        found: dict[str, dict[str, int]] = {}
        for reason, name, count in self._fetched(chosen, self._sources):
            found.setdefault(reason, {})[name] = count
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

    def _apart(self, count: int, samples: list[str], halves: list[str]) -> list[Reject]:
        """The broken lines that are no half last lines, of which there are these samples, and those that are."""
        half = Reject(self._source, "half_line", len(halves), tuple(map(self._sources.last, halves[:SAMPLES])))
        if count == len(halves):
            return [half]
        return [Reject(self._source, _BROKEN, count - len(halves), tuple(samples[:SAMPLES])), half]


def _shown(files: dict[str, int], halves: Collection[str]) -> list[str]:
    """The first files that have a sample to show; a half last line is shown apart."""
    return [name for name, count in files.items() if count > (name in halves)][:SAMPLES]
