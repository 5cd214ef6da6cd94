"""Baselines that a service keeps."""

from __future__ import annotations

import msgspec

from driftline.core.analysis_config import read_analysis_config
from driftline.core.constraint_documents import monitor_of, read_any_constraints
from driftline.core.errors import ConflictError
from driftline.core.table_statistics_reader import read_statistics
from driftline.jobs.analyses import ANALYSED
from driftline.resources.baselines import BaselineVersion, StoredBaseline
from driftline.service.wiring import Wiring
from driftline.serving.endpoints import check_name
from driftline.storage import baseline_versions, baselines, schedules
from driftline.storage.baseline_versions import Edit, VersionRow


class Baselines(Wiring):
    """What a service does with baselines."""

    def put_baseline(
        self, name: str, constraints: bytes, statistics: bytes = b"{}", *, author: str = "", note: str = ""
    ) -> StoredBaseline:
        """Store or replace a baseline's documents; they are checked first. What the constraints were is kept as a
        version, with the author and the note of the new ones.

        Of bias and attributions the constraints are an ``analysis.json``, and in the place of statistics stands the
        ``analysis_config.json`` that it was made with.
        """
        check_name("baseline", name)
        monitor = monitor_of(read_any_constraints(constraints, f"baseline {name}"))
        if monitor == "data-quality" and statistics.strip() != b"{}":
            read_statistics(statistics, f"baseline {name}")
        if monitor in ANALYSED and statistics.strip() != b"{}":
            read_analysis_config(statistics, f"the configuration of baseline {name}")
        baseline = baselines.Baseline(name, monitor, statistics, constraints, self.now())
        with self.store.write() as db:
            baselines.put(db, baseline, Edit(baseline.created, author, note))
        return _stored(baseline)

    def get_baseline(self, name: str) -> StoredBaseline:
        """One baseline."""
        with self.store.read() as db:
            return _stored(baselines.get(db, name))

    def list_baselines(self) -> list[StoredBaseline]:
        """Every baseline, by name."""
        with self.store.read() as db:
            return [_stored(baseline) for baseline in baselines.listing(db)]

    def delete_baseline(self, name: str) -> None:
        """Delete a baseline with its versions; :class:`ConflictError` while a schedule is held against it."""
        with self.store.write() as db:
            users = [schedule for _, schedule, _ in schedules.using(db, [name])]
            if users:
                hint = "give those schedules another baseline, or delete them first"
                raise ConflictError(f"the baseline {name} is in use", evidence=", ".join(users)[:200], hint=hint)
            baselines.check(db, name)
            baselines.remove(db, name)

    def list_baseline_versions(self, name: str, *, limit: int = 100, offset: int = 0) -> list[BaselineVersion]:
        """The versions of a baseline's constraints, newest first, without the constraints themselves."""
        with self.store.read() as db:
            baselines.check(db, name)
            return [_version(row) for row in baseline_versions.listing(db, name, limit=limit, offset=offset)]

    def get_baseline_version(self, name: str, version: int) -> BaselineVersion:
        """One version of a baseline's constraints."""
        with self.store.read() as db:
            row = baseline_versions.get(db, name, version)
            return _version(row, baseline_versions.document(db, name, version))


def _stored(row: baselines.Baseline) -> StoredBaseline:
    documents = (msgspec.json.decode(row.constraints), msgspec.json.decode(row.statistics))
    return StoredBaseline(row.name, row.monitor, row.created, *documents)


def _version(row: VersionRow, constraints: bytes = b"{}") -> BaselineVersion:
    values = {name: value for name, value in msgspec.structs.asdict(row).items() if name != "size"}
    return BaselineVersion(**values, constraints=msgspec.json.decode(constraints))
