"""A client of a driftline service: one method a call, typed answers, the service's own errors raised again.

One module a noun, and methods of the names they have in :class:`driftline.service.Service`.
"""

from __future__ import annotations

from driftline.client.access import Access
from driftline.client.alarms import Alarms
from driftline.client.baselines import Baselines
from driftline.client.batch_jobs import BatchJobs
from driftline.client.elsewhere import Elsewhere
from driftline.client.endpoints import Endpoints
from driftline.client.metrics import Metrics
from driftline.client.prometheus import Prometheus
from driftline.client.responses import Responses
from driftline.client.retention import Retaining
from driftline.client.runs import Runs
from driftline.client.schedules import Schedules

__all__ = ["Client"]


class Client(
    Endpoints,
    Elsewhere,
    Baselines,
    Schedules,
    Runs,
    Metrics,
    Alarms,
    Responses,
    Prometheus,
    Access,
    Retaining,
    BatchJobs,
):
    """Talks to the service at ``url`` (else ``DRIFTLINE_URL``, else the local default). A context manager.

    ``token`` (else ``DRIFTLINE_TOKEN``) is what it shows where one is needed.
    ``timeout`` is in seconds, of one request. Methods raise the error the service raised (:class:`NotFoundError`,
    :class:`InputError`, …), or :class:`ServiceError` when it cannot be reached or answers what this client cannot
    read. Fields of an answer that this client does not know are ignored, so that the service may be a newer one.
    Times are in UTC; a time given without a zone is read as UTC.
    """
