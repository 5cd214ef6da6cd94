"""``/api/endpoints``."""

from __future__ import annotations

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import delete, get, patch, put
from litestar.params import FromQuery, JSONBody

from driftline.resources.endpoints import CaptureChange, CaptureHour, Endpoint, NewEndpoint, sensitive_columns
from driftline.service import MOST_MODEL_BYTES
from driftline.web.api.signature import Given, Maybe, Name, Raw, raw_body


@get("/endpoints", sync_to_thread=True)
def list_endpoints(service: Given) -> list[Endpoint]:
    """Every endpoint."""
    return service.list_endpoints()


@get("/endpoints/{name:str}", sync_to_thread=True)
def get_endpoint(service: Given, name: Name) -> Endpoint:
    """One endpoint."""
    return service.get_endpoint(name)


@put(
    "/endpoints/{name:str}",
    request_max_body_size=MOST_MODEL_BYTES,
    operation_class=raw_body("the model file", "application/octet-stream"),
)
async def deploy(
    service: Given,
    request: Raw,
    name: Name,
    filename: FromQuery[str] = "model",
    capture_percent: FromQuery[float | None] = None,
    capture_input: FromQuery[bool | None] = None,
    capture_output: FromQuery[bool | None] = None,
    sensitive: FromQuery[str | None] = None,
    destination: FromQuery[str | None] = None,
    variant: FromQuery[str | None] = None,
) -> Endpoint:
    """Deploy the model in the body, creating the endpoint or giving it another model. Settings left out stay.

    ``sensitive`` are columns to hide in the record, as in ``input:3:hash,input:customer.ssn:drop``. ``destination`` is
    an ``s3://`` folder below which the captures also appear.
    """
    artifact = await request.body()
    hidden = sensitive_columns(None if sensitive is None else list(filter(None, sensitive.split(","))))
    given = CaptureChange(capture_percent, capture_input, capture_output, hidden, destination)
    capture = msgspec.to_builtins(given)
    return await in_thread(lambda: service.deploy(name, filename, artifact, capture, variant=variant))


@put("/endpoints/{name:str}/registration", sync_to_thread=True)
def register_endpoint(service: Given, name: Name, data: JSONBody[NewEndpoint]) -> Endpoint:
    """Create an endpoint whose model is served elsewhere: forwarded to an upstream, or only captured there."""
    capture = msgspec.to_builtins(
        CaptureChange(data.percent, data.input, data.output, data.sensitive, data.destination)
    )
    return service.register_endpoint(name, capture, upstream=data.upstream)


@patch("/endpoints/{name:str}/capture", sync_to_thread=True)
def change_capture(service: Given, name: Name, data: JSONBody[CaptureChange]) -> Endpoint:
    """Change what is captured, while the endpoint serves."""
    return service.configure_capture(name, msgspec.to_builtins(data))


@delete("/endpoints/{name:str}", sync_to_thread=True)
def delete_endpoint(service: Given, name: Name) -> None:
    """Stop serving; captures, labels and reports stay."""
    service.delete_endpoint(name)


@get("/endpoints/{name:str}/captures", sync_to_thread=True)
def get_capture_counts(service: Given, name: Name, start: Maybe = None, end: Maybe = None) -> list[CaptureHour]:
    """Captured, sampled-out and dropped requests by hour; the last day by default."""
    return service.capture_counts(name, service.window_of(start, end))


HANDLERS = (
    list_endpoints,
    get_endpoint,
    deploy,
    register_endpoint,
    change_capture,
    delete_endpoint,
    get_capture_counts,
)
