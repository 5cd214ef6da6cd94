"""``/api/endpoints/{name}/labels``."""

from __future__ import annotations

from anyio.to_thread import run_sync as in_thread
from litestar import post
from litestar.params import FromQuery

from driftline.jobs.labels import MOST_BYTES
from driftline.resources.labels import LabelFormat, LabelReceipt
from driftline.web.api.signature import Given, Maybe, Name, Raw, raw_body


@post(
    "/endpoints/{name:str}/labels",
    request_max_body_size=MOST_BYTES,
    operation_class=raw_body("the labels, in the given format", "application/jsonlines", "text/csv"),
)
async def put_labels(
    service: Given,
    request: Raw,
    name: Name,
    # Named like its query parameter, because that is the name a refusal tells.
    format: FromQuery[LabelFormat] = "jsonl",  # noqa: A002
    id_column: Maybe = None,
    label_column: Maybe = None,
) -> LabelReceipt:
    """Put ground truth: JSON lines in the ground-truth format, or CSV with an id and a label column."""
    body, columns = await request.body(), {"id_column": id_column, "label_column": label_column}
    return await in_thread(lambda: service.put_labels(name, body, format, **columns))


HANDLERS = (put_labels,)
