"""Sending what the sent-log says is due: at least once to each target."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from driftline.alerting.sending import Refused, send
from driftline.alerting.targets import mask
from driftline.core.records import utc
from driftline.storage import deliveries
from driftline.storage.clock import Clock, system_clock
from driftline.storage.database import Store
from driftline.storage.deliveries import Delivery

logger = logging.getLogger("driftline.alerting")
BACKOFF = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
"""Seconds before the second try, the third, … ; after the last of them a delivery has failed."""
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_LEASE = timedelta(seconds=60)


def webhook_client() -> httpx.Client:
    """A client with our timeouts that follows no redirects. Close it after use."""
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, headers={"User-Agent": "driftline"})


def send_due(
    store: Store,
    client: httpx.Client,
    clock: Clock = system_clock,
    *,
    limit: int = 100,
    folder: Path | None = None,
) -> int:
    """Send up to ``limit`` deliveries that are due and return how many were tried.

    ``clock`` is real time. Nothing here sleeps: a try that did not succeed is due again later, after
    :data:`BACKOFF`, and the caller calls again. A delivery whose sender died is due again after a minute, with the
    same idempotency key. ``folder`` is the data folder, with the operator's actions.
    """
    for done in range(limit):
        delivery = _claim(store, utc(clock()))
        if delivery is None:
            return done
        _try(store, client, delivery, clock, folder)
    return limit


def _claim(store: Store, real: datetime) -> Delivery | None:
    with store.read() as connection:
        if not deliveries.waiting(connection, real):
            return None
    with store.write() as connection:
        return deliveries.claim(connection, real=real, lease=_LEASE)


def _try(store: Store, client: httpx.Client, delivery: Delivery, clock: Clock, folder: Path | None) -> None:
    try:
        outcome = send(client, delivery.target, delivery.body, delivery.id, folder)
    except Refused as refusal:
        due = None if refusal.final else _next_try(delivery, utc(clock()))
        with store.write() as connection:
            deliveries.postpone(connection, delivery, str(refusal), due)
        logger.warning(
            "notification of alarm %s to %s, try %d: %s; %s",
            delivery.body.get("alarm"),
            mask(delivery.target),
            delivery.attempts,
            refusal,
            "given up" if due is None else f"next try at {due:%H:%M:%S} UTC",
        )
        return
    with store.write() as connection:
        deliveries.succeed(connection, delivery, utc(clock()), outcome)


def _next_try(delivery: Delivery, now: datetime) -> datetime | None:
    tries = delivery.attempts
    return now + timedelta(seconds=BACKOFF[tries - 1]) if tries <= len(BACKOFF) else None


class _Masked(logging.Filter):
    """httpx logs every request with its URL; here only the host of it may be seen."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(mask(str(item)) if isinstance(item, httpx.URL) else item for item in record.args)
        return True


logging.getLogger("httpx").addFilter(_Masked())
