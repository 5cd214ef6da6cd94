"""``/api/tokens`` and ``/api/audit``."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.params import JSONBody, QueryParameter

from driftline.core.errors import ConflictError
from driftline.resources.access import AuditEntry, IssuedToken, NewToken, Token
from driftline.service import Service
from driftline.service.door import ANYONE
from driftline.web.access import visitor
from driftline.web.api.signature import Given, Maybe, Name


@get("/tokens", sync_to_thread=True)
def list_tokens(service: Given) -> list[Token]:
    """Every token, without what is secret."""
    return service.list_tokens()


@post("/tokens", sync_to_thread=True)
def create_token(service: Given, data: JSONBody[NewToken]) -> IssuedToken:
    """Make a token. The answer is the one place where its secret is shown."""
    _known(service)
    return service.create_token(data)


@post("/tokens/{name:str}/revoke", sync_to_thread=True)
def revoke_token(service: Given, name: Name) -> Token:
    """Make a token void, with the sessions it opened, within seconds."""
    return service.revoke_token(name)


@get("/audit", sync_to_thread=True)
def list_audit(
    service: Given,
    target: Maybe = None,
    actor: Maybe = None,
    since: Maybe = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
) -> list[AuditEntry]:
    """What was done, by whom, and what came of it, newest first."""
    return service.list_audit(target=target, actor=actor, since=since, limit=limit)


def _known(service: Service) -> None:
    """Nobody may make themselves a lasting token while everybody may do everything."""
    if visitor.get() == ANYONE:
        hint = f"on the machine of the service: driftline token create NAME --data {service.layout.data.name}"
        raise ConflictError("access is off, so this service makes no tokens over HTTP", hint=hint)


HANDLERS = (list_tokens, create_token, revoke_token, list_audit)
