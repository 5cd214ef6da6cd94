"""Where the files of a data folder are shipped to: the store of all nodes, and destinations of single endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from driftline.core.uris import ObjectUri, object_uri
from driftline.jobs.shared.ledger import Kind
from driftline.resources.endpoints import Endpoint
from driftline.storage.buckets import folder_objects
from driftline.storage.layout import Layout


class Target(NamedTuple):
    """A place in a bucket for the files of some folders: ``PLACE/REST`` for each ``FOLDER/REST`` below the data
    folder. Other nodes are told of what arrives in the ``store``."""

    place: ObjectUri
    folder: str
    store: bool

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return str(self.place)

    def uri(self, path: str) -> ObjectUri:
        """The object of a file."""
        return self.place / path.removeprefix(self.folder).lstrip("/")

    def takes(self, path: str) -> bool:
        """Whether a file is shipped there."""
        return not self.folder or path.startswith(f"{self.folder}/")


def store_target(prefix: str) -> Target:
    """The store of all nodes.

    >>> str(store_target("s3://lake/all").uri("labels/churn/2026/11/22/10/a.jsonl"))
    's3://lake/all/labels/churn/2026/11/22/10/a.jsonl'
    """
    return Target(object_uri(prefix), "", True)


def destination_targets(layout: Layout, endpoints: Iterable[Endpoint]) -> list[Target]:
    """The destinations of endpoints in buckets elsewhere; where these are folders, links lead to the captures."""
    found = [_destination(one.name, one.capture.destination) for one in endpoints if one.capture.destination]
    return [one for one in found if folder_objects(layout, one.place) is None]


def _destination(endpoint: str, given: str) -> Target:
    """
    >>> str(_destination("churn", "s3://lake/seen/").uri("captures/churn/blue/2026/11/22/10/a.jsonl"))
    's3://lake/seen/churn/blue/2026/11/22/10/a.jsonl'
    """
    return Target(object_uri(given) / endpoint, f"captures/{endpoint}", False)


class Place(NamedTuple):
    """What a file's path says: what it is and whose, its hour, and from when on it may hold something (epoch seconds;
    None for one outside hours)."""

    kind: Kind
    endpoint: str
    hour: float | None
    since: float | None


_HOUR = re.compile(r"(?:.*/)?(\d{4})/(\d{2})/(\d{2})/(\d{2})/(?:(\d{2})-(\d{2})-\d{3}-)?[^/]*", re.ASCII)


def place_of(path: str) -> Place | None:
    """What a path below the data folder says; None for one that is neither a capture file nor one of labels.

    >>> place_of("captures/churn/blue/2026/11/22/10/41-07-002-6f1c.jsonl")
    Place(kind='captures', endpoint='churn', hour=1795341600.0, since=1795344067.0)
    >>> place_of("labels/churn/all.jsonl")
    Place(kind='labels', endpoint='churn', hour=None, since=None)
    """
    top, _, rest = path.partition("/")
    endpoint = rest.partition("/")[0]
    if top not in ("captures", "labels") or endpoint == rest:
        return None
    hour = since = None
    if found := _HOUR.fullmatch(rest):
        with suppress(ValueError):
            year, month, day, of_day = map(int, found.groups()[:4])
            hour = since = datetime(year, month, day, of_day, tzinfo=UTC).timestamp()
            if found[5] and int(found[5]) < 60 and int(found[6]) < 60:
                since = hour + 60 * int(found[5]) + int(found[6])
    return Place("captures" if top == "captures" else "labels", endpoint, hour, since)
