"""Data folders whose captures go to a bucket, with faults on the way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from driftline.jobs.shared.ledger import Ledger
from driftline.jobs.shared.limits import Limits
from driftline.jobs.shared.shipper import Shipper
from driftline.jobs.shared.targets import store_target
from driftline.serving.segment import Segment
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout
from driftline.storage.remote.trying import Patience

HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
LONGEST = 30.0


class Node:
    """A data folder with a shipper in this process. ``now`` is the time of the schedules."""

    def __init__(self, data: Path, bucket: Path, *, destinations_only: bool = False, **limits: Any) -> None:
        self.layout, self.bucket = Layout(data).create(), bucket
        self.prefix = f"s3://{bucket.name}/some/where"
        self.now = HOUR.timestamp() + 600.0
        self.limits = Limits(**limits)
        self.store = None if destinations_only else store_target(self.prefix)
        self.ledger = Ledger(data / "shipping.db")
        self.random = random.Random(7)
        self.shipper = self.new_shipper()

    def new_shipper(self) -> Shipper:
        objects = open_objects(self.layout, Patience(total=0.3, first=0.02, most=0.1))
        chance = random.Random(self.random.random())
        self.shipper = Shipper(
            self.layout, objects, self.ledger, lambda: self.now, store=self.store, limits=self.limits, chance=chance
        )
        return self.shipper

    def segment(self, endpoint: str = "churn", moment: datetime | None = None) -> Segment:
        folder = self.layout.captures(endpoint) / "AllTraffic"
        unique = UUID(bytes=self.random.randbytes(16))
        return Segment(folder, moment or datetime.fromtimestamp(self.now, UTC), unique)

    def put(self, path: str, content: bytes = b"{}\n") -> Path:
        file = self.layout.data / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def there(self, path: Path, below: str = "some/where") -> bytes | None:
        """What the bucket has of a file."""
        found = self.bucket / below / self.layout.relative(path)
        return found.read_bytes() if found.exists() else None

    def until(self, true: Callable[[], object], what: str = "") -> None:
        """Ship until something is so."""
        deadline = time.monotonic() + LONGEST
        while not true():
            assert time.monotonic() < deadline, (what, self.shipper.said, self.shipper.progress)
            self.shipper.look()
            time.sleep(0.01)


@pytest.fixture
def bucket(bucket_server: Any) -> Path:
    """A new bucket of the real server."""
    folder: Path = bucket_server.folder / f"lake-{uuid4().hex[:12]}"
    folder.mkdir()
    return folder


@pytest.fixture
def node(
    faulty_bucket: Any, bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Node]]:
    """Makes nodes on one bucket, which they reach through the proxy of ``faulty_bucket``."""
    for name, value in faulty_bucket.environment.items():
        monkeypatch.setenv(name, value)
    made: list[Node] = []

    def make(name: str = "node", **options: Any) -> Node:
        made.append(Node(tmp_path / name, bucket, **options))
        return made[-1]

    yield make
    faulty_bucket.fault = None
    for one in made:
        one.shipper.close()
