"""``/api/baselines``."""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, put
from litestar.params import FromPath, JSONBody, QueryParameter

from driftline.core.documents import dump
from driftline.resources.baselines import BaselineVersion, NewBaseline, StoredBaseline
from driftline.web.access import visitor
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
    documents = dump(data.constraints), dump(data.statistics)
    return service.put_baseline(name, *documents, author=visitor.get().name, note=data.note or "")


@delete("/baselines/{name:str}", sync_to_thread=True)
def delete_baseline(service: Given, name: Name) -> None:
    """Delete a baseline that no schedule is held against."""
    service.delete_baseline(name)


@get("/baselines/{name:str}/versions", sync_to_thread=True)
def list_baseline_versions(
    service: Given,
    name: Name,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    offset: Annotated[int, QueryParameter(ge=0)] = 0,
) -> list[BaselineVersion]:
    """The versions of a baseline's constraints, newest first, without the constraints."""
    return service.list_baseline_versions(name, limit=limit, offset=offset)


@get("/baselines/{name:str}/versions/{version:int}", sync_to_thread=True)
def get_baseline_version(service: Given, name: Name, version: FromPath[int]) -> BaselineVersion:
    """One version of a baseline's constraints."""
    return service.get_baseline_version(name, version)


HANDLERS = (
    list_baselines,
    get_baseline,
    put_baseline,
    delete_baseline,
    list_baseline_versions,
    get_baseline_version,
)
