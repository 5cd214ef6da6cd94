"""The home page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import MediaType, Response, get

from driftline.resources.alarms import AlarmStatus
from driftline.resources.endpoints import Endpoint
from driftline.resources.executions import Execution, OverdueWindow
from driftline.service import Service
from driftline.web.api.signature import Given
from driftline.web.pages.rendering import Raw, show


class Home(msgspec.Struct, frozen=True):
    """What the home page shows."""

    now: datetime
    endpoints: list[Endpoint]
    alarms: list[AlarmStatus]
    runs: list[Execution]
    overdue: list[OverdueWindow]


def home_view(service: Service) -> Home:
    """Look at a service."""
    return Home(
        service.now(),
        service.list_endpoints(),
        service.list_alarms(),
        service.list_runs(limit=50),
        service.list_overdue(),
    )


@get("/", media_type=MediaType.HTML, sync_to_thread=True)
def home(request: Raw, service: Given) -> Response[Any]:
    """Endpoints, alarms and the latest runs."""
    return show(request, "home.html", home_view(service))
