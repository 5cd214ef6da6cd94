"""Bodies of one side to rows, by the kind of their text."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.payload.csv_bodies import decode_csv
from driftline.engine.payload.documents import Documents
from driftline.engine.payload.json_bodies import decode_json
from driftline.engine.payload.parts import Places, Side


class Bodies:
    """Decodes bodies of CSV and JSON; holds what is needed for JSON until it is closed."""

    def __init__(self, header: bool | None, names: tuple[str, ...], threads: int | None) -> None:
        self._header = header
        self._names = names
        self._threads = threads
        self._json: Documents | None = None
        self._lock = threading.Lock()
        self.undecided = False
        """Whether a first line of a CSV body could be names or data, and only the names given told."""

    def close(self) -> None:
        """Give the memory back."""
        if self._json is not None:
            self._json.close()

    def decode(self, kinds: Any, bodies: Any) -> Side:
        """The rows of bodies, which are as many as kinds; a null kind is a side that was not captured."""
        side = Side()
        encoded = kinds.dictionary_encode()
        places = encoded.indices.fill_null(-1).to_numpy()
        for number, kind in enumerate(encoded.dictionary.to_pylist()):
            requests = np.flatnonzero(places == number)
            if kind not in ("csv", "json"):
                side.fault(kind, requests)
                continue
            some = bodies if len(requests) == len(bodies) else bodies.filter(pc.equal(kinds, pa.scalar(kind)))
            side.add(self._decoded(kind, some, requests))
        return side

    def _decoded(self, kind: str, bodies: Any, requests: Places) -> Side:
        if kind == "csv":
            found = decode_csv(bodies, requests, header=self._header, names=self._names)
            self.undecided |= found.undecided
            return found
        # One database for all threads: it works with several of its own.
        with self._lock:
            self._json = self._json or Documents(self._threads)
            return decode_json(self._json, bodies, requests)
