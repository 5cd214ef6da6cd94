"""``/api/retention``, and how long an endpoint's data is kept."""

from __future__ import annotations

from litestar import patch, post
from litestar.params import FromQuery, JSONBody

from driftline.resources.endpoints import Endpoint
from driftline.resources.retention import Retention, RetentionReport
from driftline.web.api.signature import Given, Name


@patch("/endpoints/{name:str}/retention", sync_to_thread=True)
def set_retention(service: Given, name: Name, data: JSONBody[Retention]) -> Endpoint:
    """Say how long the endpoint's data is kept; what is left out stays."""
    return service.set_retention(name, data)


@post("/retention/run", sync_to_thread=True, status_code=200)
def run_retention(service: Given, dry_run: FromQuery[bool] = False) -> RetentionReport:
    """Take away what need not be kept, or with ``dry_run`` only say what that is."""
    return service.run_retention(dry_run=dry_run)


HANDLERS = (set_retention, run_retention)
