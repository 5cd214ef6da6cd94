"""What a service has by a name."""

from __future__ import annotations

import msgspec

from driftline.core.plain_text import plain
from driftline.service import Service
from driftline.storage import search
from driftline.storage.search import MOST, Found, FoundRun

LONGEST = 200


class Matches(msgspec.Struct, frozen=True):
    """What has a text in its name, of each kind at most :data:`MOST`, and runs whose id begins with it."""

    endpoints: list[Found] = []
    schedules: list[Found] = []
    baselines: list[Found] = []
    alarms: list[Found] = []
    runs: list[FoundRun] = []

    @property
    def cut(self) -> bool:
        """Whether there may be more of a kind."""
        return any(len(getattr(self, name)) >= MOST for name in self.__struct_fields__)


def matches(service: Service, text: str) -> Matches:
    """Look for a text; nothing is found for an empty one, and of a long one the first 200 characters count."""
    wanted = plain(text.strip())[:LONGEST]
    if not wanted:
        return Matches()
    with service.store.read() as db:
        return Matches(
            search.endpoints_named(db, wanted),
            search.schedules_named(db, wanted),
            search.baselines_named(db, wanted),
            search.alarms_named(db, wanted),
            search.runs_named(db, wanted),
        )
