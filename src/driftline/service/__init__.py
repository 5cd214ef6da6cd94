"""The service: the one object that faces and tests talk to. One module a noun; here they are put together."""

from __future__ import annotations

from driftline.service.access import Access
from driftline.service.baselines import Baselines
from driftline.service.batch_jobs import BatchJobs
from driftline.service.elsewhere import MOST_EVENT_BYTES, MOST_IMPORT_BYTES, Elsewhere
from driftline.service.endpoints import MOST_MODEL_BYTES, Endpoints
from driftline.service.health import Health
from driftline.service.labels import Labels
from driftline.service.metrics import Metrics
from driftline.service.nodes import Nodes
from driftline.service.prometheus import Prometheus
from driftline.service.responses import Responses
from driftline.service.retention import Retaining
from driftline.service.runs import Runs
from driftline.service.schedules import Schedules
from driftline.service.scripts import Scripts

__all__ = ["MOST_EVENT_BYTES", "MOST_IMPORT_BYTES", "MOST_MODEL_BYTES", "Service"]


class Service(
    Elsewhere,
    Endpoints,
    Labels,
    Baselines,
    Schedules,
    Scripts,
    Runs,
    Metrics,
    Responses,
    Access,
    Health,
    Prometheus,
    Retaining,
    BatchJobs,
    Nodes,
):
    """A data folder at work. Every method is one transaction and may be called from any thread.

    ``clock`` is the time of schedules, labels and captures; ``database`` a URL, by default SQLite in the folder. One
    that is ``patient`` is also made while the database is away, if the folder knows endpoints; :meth:`catch_up` does
    later what could not be done. Raises :class:`SetupError` when the folder or the database cannot be used.
    """
