"""Baselines that a service keeps."""

from __future__ import annotations

import msgspec

from driftline.core.analysis_config import read_analysis_config
from driftline.core.constraint_documents import monitor_of, read_any_constraints
from driftline.core.table_statistics_reader import read_statistics
from driftline.jobs.analyses import ANALYSED
from driftline.resources.baselines import StoredBaseline
from driftline.service.wiring import Wiring
from driftline.serving.endpoints import check_name
from driftline.storage import baselines


class Baselines(Wiring):
    """What a service does with baselines."""

    def put_baseline(self, name: str, constraints: bytes, statistics: bytes = b"{}") -> StoredBaseline:
        """Store or replace a baseline's documents; they are checked first.

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
            baselines.put(db, baseline)
        return _stored(baseline)

    def get_baseline(self, name: str) -> StoredBaseline:
        """One baseline."""
        with self.store.read() as db:
            return _stored(baselines.get(db, name))

    def list_baselines(self) -> list[StoredBaseline]:
        """Every baseline, by name."""
        with self.store.read() as db:
            return [_stored(baseline) for baseline in baselines.listing(db)]


def _stored(row: baselines.Baseline) -> StoredBaseline:
    documents = (msgspec.json.decode(row.constraints), msgspec.json.decode(row.statistics))
    return StoredBaseline(row.name, row.monitor, row.created, *documents)
