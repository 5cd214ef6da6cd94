"""The names that forms offer: of endpoints, schedules, baselines, and of the metrics that a schedule publishes."""

from __future__ import annotations

from sqlalchemy import Connection, select

from driftline.storage.tables import baselines, endpoints, executions, metrics, schedules

MOST = 2000
"""Names in one choice."""


def endpoint_names(connection: Connection) -> list[str]:
    """The endpoints that are not deleted, by name."""
    statement = select(endpoints.c.name).where(endpoints.c.deleted.is_(False))
    return list(connection.execute(statement.order_by(endpoints.c.name).limit(MOST)).scalars())


def schedule_names(connection: Connection, endpoint: str | None = None) -> list[str]:
    """The schedules, or those of an endpoint, by name."""
    statement = select(schedules.c.name).order_by(schedules.c.name).limit(MOST)
    if endpoint:
        statement = statement.where(schedules.c.endpoint == endpoint)
    return list(connection.execute(statement).scalars())


def baseline_names(connection: Connection, monitor: str) -> list[str]:
    """The baselines of a monitor, by name."""
    statement = select(baselines.c.name).where(baselines.c.monitor == monitor)
    return list(connection.execute(statement.order_by(baselines.c.name).limit(MOST)).scalars())


def metric_names(connection: Connection, schedule: str) -> list[str]:
    """The metrics that the newest finished run of a schedule published, by name."""
    of_schedule = select(executions.c.id).where(executions.c.schedule == schedule, executions.c.finished.is_not(None))
    run = connection.execute(of_schedule.order_by(executions.c.tick.desc()).limit(1)).scalar_one_or_none()
    statement = select(metrics.c.name).distinct().where(metrics.c.run == run).order_by(metrics.c.name).limit(MOST)
    return [] if run is None else list(connection.execute(statement).scalars())


def baseline_exists(connection: Connection, name: str) -> bool:
    """Whether there is a baseline of a name."""
    return connection.execute(select(baselines.c.name).where(baselines.c.name == name)).first() is not None
