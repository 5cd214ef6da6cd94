"""``/api/endpoints/{name}/events`` and the imports: captures that come from elsewhere."""

from __future__ import annotations

from anyio.to_thread import run_sync as in_thread
from litestar import post
from litestar.params import FromQuery

from driftline.resources.captures import EventReceipt, ImportReceipt
from driftline.service import MOST_EVENT_BYTES, MOST_IMPORT_BYTES
from driftline.web.api.signature import Given, Name, Raw, raw_body


@post(
    "/endpoints/{name:str}/events",
    # Senders of events take any other status for a failure.
    status_code=200,
    request_max_body_size=MOST_EVENT_BYTES,
    operation_class=raw_body(
        "one event, whose attributes are in ce- headers or in the document, or a batch of documents",
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ),
)
async def put_events(service: Given, request: Raw, name: Name) -> EventReceipt:
    """Take CloudEvents of KServe's inference logger; a request and its response become one capture record."""
    body, headers = await request.body(), dict(request.headers)
    return await in_thread(lambda: service.put_events(name, body, headers))


@post(
    "/endpoints/{name:str}/captures",
    status_code=200,
    request_max_body_size=MOST_IMPORT_BYTES,
    operation_class=raw_body("capture records, one a line", "application/jsonlines"),
)
async def import_captures(
    service: Given, request: Raw, name: Name, variant: FromQuery[str] = "AllTraffic"
) -> ImportReceipt:
    """Import capture records, each into the hour of its inference; the same content is stored once."""
    body = await request.body()
    return await in_thread(lambda: service.import_captures(name, body, variant=variant))


@post(
    "/endpoints/{name:str}/labels/import",
    status_code=200,
    request_max_body_size=MOST_IMPORT_BYTES,
    operation_class=raw_body("ground-truth records, one a line", "application/jsonlines"),
)
async def import_labels(service: Given, request: Raw, name: Name, collected: FromQuery[str]) -> ImportReceipt:
    """Import ground-truth records into the hour they were collected in; the same content is stored once."""
    body = await request.body()
    return await in_thread(lambda: service.import_labels(name, body, collected=collected))


HANDLERS = (put_events, import_captures, import_labels)
