"""Files of records wherever their lines stand: in files of JSON lines, or in an hour's compacted file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from driftline.engine.compacted.form import FIELDS, Original, originals_of
from driftline.engine.compacted.lines import last_place, line_at, lines_of
from driftline.engine.compacted.standing import chosen, size_of
from driftline.engine.files import exact
from driftline.engine.rejects import ends_in_half_line, sample_line, shown

_OUTPUT = 'STRUCT("data" VARCHAR, "encoding" VARCHAR)'
_METADATA = "eventMetadata: 'STRUCT(eventId VARCHAR, inferenceId VARCHAR, inferenceTime VARCHAR)'"
RECORD_FIELDS = f"{{captureData: 'STRUCT(endpointInput {_OUTPUT}, endpointOutput {_OUTPUT})', {_METADATA}}}"
_OUTPUT_FIELDS = f"{{captureData: 'STRUCT(endpointOutput {_OUTPUT})', {_METADATA}}}"
_INPUTS = ("input", "input_encoding")
# The path of a row's original: it stood where the compacted file stands.
_ORIGINAL = "regexp_replace(filename, '[^/]*$', '') || file AS filename"


class Part(msgspec.Struct, frozen=True):
    """A compacted file of which some originals are read: from ``first`` to ``last`` by name, but those ``without``."""

    path: str
    first: str
    last: str
    without: tuple[str, ...] = ()


class Sources:
    """What is read: files of JSON ``lines``, whole ``compacted`` files, and ``parts`` of such.

    Made of originals by path: the file that holds each, and what is known of it where that is a compacted one.
    ``scan`` and ``rows`` are SQL, in which ``$longest`` is the longest line that may be met: every thread takes twice
    that much memory. A line that is no such object comes back as NULLs, so that it can be counted and found again.
    The macro ``moment_of`` must be there.
    """

    def __init__(self, originals: Mapping[str, tuple[str, Original | None]]) -> None:
        self._originals = originals
        self.lines = [file for file, one in originals.values() if one is None]
        self.compacted: list[str] = []
        self.parts: list[Part] = []
        held: defaultdict[str, list[str]] = defaultdict(list)
        for file, one in originals.values():
            if one is not None:
                held[file].append(one.name)
        for path, names in held.items():
            every = [one.name for one in originals_of(path)]
            if len(names) == len(every):
                self.compacted.append(path)
            else:
                self.parts.append(_part(path, names, every))

    @classmethod
    def of(cls, files: Iterable[str]) -> Sources:
        """The sources of files as :func:`driftline.engine.files.list_files` names them; each original once."""
        return cls(chosen(list(files)))

    def groups(self, most: int) -> Iterator[Sources]:
        """The originals in path order, so many at a time that they have ``most`` bytes or a little more."""
        group: dict[str, tuple[str, Original | None]] = {}
        size = 0
        for path, (file, one) in self._originals.items():
            group[path] = (file, one)
            size += (size_of(Path(file)) or 0) if one is None else one.size
            if size >= most:
                yield Sources(group)
                group, size = {}, 0
        if group:
            yield Sources(group)

    def only(self, path: str) -> Sources:
        """One original alone."""
        return Sources({path: self._originals[path]})

    def in_order(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The originals in path order: a file of JSON lines with no names, or a compacted file with the names of
        originals that follow each other."""
        for (file, alone), some in groupby(self._originals.items(), lambda pair: (pair[1][0], pair[1][1] is None)):
            yield file, () if alone else tuple(Path(path).name for path, _ in some)

    def parameters(self) -> dict[str, Any]:
        """The files, as statements with :meth:`scan` and :meth:`rows` name them."""
        found: dict[str, Any] = {}
        if self.lines:
            found["files"] = [exact(file) for file in self.lines]
        if self.compacted:
            found["compacted"] = [exact(file) for file in self.compacted]
        for number, part in enumerate(self.parts):
            found |= {f"part_{number}": exact(part.path), f"first_{number}": part.first, f"last_{number}": part.last}
            found |= {f"without_{number}": list(part.without)} if part.without else {}
        return found

    def scan(self, *, inputs: bool = False, located: bool = False) -> str:
        """Records of captures: the columns of :data:`FIELDS`, those of inputs only where asked for, and where
        ``located`` the ``filename`` and the record's ``place`` in it."""
        names = [name for name in FIELDS if inputs or name not in _INPUTS]
        taken = ", ".join(f"{FIELDS[name]} AS {name}" for name in names)
        fields = RECORD_FIELDS if inputs else _OUTPUT_FIELDS
        place = ", filename, row_number() OVER () AS place" if located else ""
        lines = f"SELECT {taken}{place} FROM {read_lines(fields, filename=located)}"
        kept = f"SELECT {', '.join(names)}{f', {_ORIGINAL}, place' if located else ''} FROM"
        return self._union(lines, kept)

    def rows(self, fields: str) -> str:
        """Records with any ``fields``, given as to ``read_ndjson``; of compacted files they are read of the lines."""
        kept = f"SELECT unnest(record) FROM (SELECT {record_of('line', fields)} FROM"
        return self._union(f"SELECT * FROM {read_lines(fields)}", kept, ")")

    def sample(self, path: str, place: int) -> str:
        """An original's ``place``-th line that is not blank, as a sample."""
        file, one = self._originals[path]
        if one is None:
            return sample_line(path, place)
        found = line_at(file, one.name, place)
        return f"{path}: record {place}" if found is None else shown(path, *found)

    def last(self, path: str) -> str:
        """The last line of an original that is not blank, as a sample."""
        file, one = self._originals[path]
        if one is not None:
            return self.sample(path, last_place(file, one.name))
        with Path(path).open("rb") as lines:
            return sample_line(path, sum(1 for line in lines if line.strip()))

    def ends_in_half_line(self, path: str) -> bool:
        """Whether the last line of an original is a half one."""
        one = self._originals[path][1]
        return ends_in_half_line(path) if one is None else one.half

    def _union(self, lines: str, kept: str, closed: str = "") -> str:
        found = [lines] if self.lines else []
        if self.compacted:
            found.append(f"{kept} read_parquet($compacted, filename = true) WHERE place IS NOT NULL{closed}")
        for number, part in enumerate(self.parts):
            inside = f"file BETWEEN $first_{number} AND $last_{number}"
            without = f" AND NOT list_contains($without_{number}, file)" if part.without else ""
            read = f"read_parquet($part_{number}, filename = true)"
            found.append(f"{kept} {read} WHERE place IS NOT NULL AND {inside}{without}{closed}")
        return f"({' UNION ALL '.join(found)})"


def read_lines(fields: str, *, filename: bool = False) -> str:
    """A reader of JSON lines for the fields asked for; its files are ``$files``."""
    named = ", filename = true" if filename else ""
    return f"read_ndjson($files, columns = {fields}, ignore_errors = true, maximum_object_size = $longest{named})"


def record_of(line: str, fields: str) -> str:
    """The column ``record`` of a line's bytes: what ``read_ndjson`` finds in it, NULL where it is no object."""
    # Through a list, as DuckDB would transform the line again for every field that is asked of it.
    return f"unnest([try(json_transform(try(decode({line})), to_json({fields})))]) AS record"


def used(statement: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that a statement names."""
    return {name: value for name, value in parameters.items() if f"${name}" in statement}


def each_line(sources: Sources) -> Iterator[bytes]:
    """Every line of every original, in path order, with its line end where it has one."""
    for file, names in sources.in_order():
        if names:
            for _, lines in lines_of(file, names):
                yield from lines
            continue
        with Path(file).open("rb") as plain:
            yield from plain


def _part(path: str, names: Sequence[str], every: Sequence[str]) -> Part:
    first, last, wanted = min(names), max(names), set(names)
    return Part(path, first, last, tuple(name for name in every if first <= name <= last and name not in wanted))
