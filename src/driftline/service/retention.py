"""How long a service keeps what its endpoints gather."""

from __future__ import annotations

from driftline.jobs import retention as cleaning
from driftline.resources.endpoints import Endpoint
from driftline.resources.retention import Retention, RetentionReport
from driftline.service.wiring import Wiring
from driftline.storage import endpoints, retention_rows


class Retaining(Wiring):
    """What a service does with old data."""

    def set_retention(self, name: str, retention: Retention) -> Endpoint:
        """Say how long an endpoint's data is kept; what is left out stays, ``forever`` keeps a kind again."""
        with self.store.write() as db:
            settings = cleaning.changed(endpoints.get(db, name).retention, retention)
            retention_rows.put(db, name, settings)
            return endpoints.get(db, name)

    def run_retention(self, *, dry_run: bool = False) -> RetentionReport:
        """Take away what need not be kept, or only say what that is; the scheduler does it once a day."""
        return cleaning.run_retention(self.store, self.layout, self.now(), dry_run=dry_run, shared=self.shared)
