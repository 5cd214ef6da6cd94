"""``/api/baselines``."""

from __future__ import annotations

from litestar import get, put
from litestar.params import JSONBody

from driftline.core.documents import dump
from driftline.resources.baselines import NewBaseline, StoredBaseline
from driftline.web.api.signature import Given, Name


@get("/baselines", sync_to_thread=True)
def list_baselines(service: Given) -> list[StoredBaseline]:
    """Every baseline."""
    return service.list_baselines()


@get("/baselines/{name:str}", sync_to_thread=True)
def get_baseline(service: Given, name: Name) -> StoredBaseline:
    """One baseline."""
    return service.get_baseline(name)


@put("/baselines/{name:str}", sync_to_thread=True)
def put_baseline(service: Given, name: Name, data: JSONBody[NewBaseline]) -> StoredBaseline:
    """Store or replace a baseline's documents."""
    return service.put_baseline(name, dump(data.constraints), dump(data.statistics))


HANDLERS = (list_baselines, get_baseline, put_baseline)
