"""Ground truth put to a service."""

from __future__ import annotations

from driftline.jobs.labels import put_labels
from driftline.resources.labels import LabelFormat, LabelReceipt
from driftline.service.wiring import Wiring
from driftline.storage import endpoints


class Labels(Wiring):
    """What a service does with ground truth."""

    def put_labels(
        self,
        name: str,
        body: bytes,
        kind: LabelFormat,
        *,
        id_column: str | None = None,
        label_column: str | None = None,
    ) -> LabelReceipt:
        """Keep ground truth for an endpoint, in the hour it is given."""
        with self.store.read() as db:
            endpoints.get(db, name)
        return put_labels(self.layout, name, body, kind, self.clock(), id_column=id_column, label_column=label_column)
