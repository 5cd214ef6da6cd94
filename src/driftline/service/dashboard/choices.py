"""What forms offer to choose from."""

from __future__ import annotations

from driftline.service import Service
from driftline.storage import form_choices as rows


def endpoint_choices(service: Service) -> list[str]:
    """The endpoints, by name."""
    with service.store.read() as db:
        return rows.endpoint_names(db)


def baseline_choices(service: Service, monitor: str) -> list[str]:
    """The baselines of a monitor, by name."""
    with service.store.read() as db:
        return rows.baseline_names(db, monitor)


def schedule_choices(service: Service, endpoint: str) -> list[str]:
    """The schedules of an endpoint, or of all where it is empty, by name."""
    with service.store.read() as db:
        return rows.schedule_names(db, endpoint or None)


def metric_choices(service: Service, schedule: str) -> list[str]:
    """The metrics that a schedule's newest finished run published."""
    with service.store.read() as db:
        return rows.metric_names(db, schedule)


def baseline_exists(service: Service, name: str) -> bool:
    """Whether there is a baseline of a name."""
    with service.store.read() as db:
        return rows.baseline_exists(db, name)
