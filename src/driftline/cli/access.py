"""``driftline token …`` and ``driftline audit``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import brief, out, table

if TYPE_CHECKING:
    from driftline.client import Client
    from driftline.service import Service

token = typer.Typer(help="Who may do what.", no_args_is_help=True)
Folder = Annotated[
    Path | None, typer.Option("--data", help="work on this data folder itself instead of asking a service")
]


@token.command("create")
def create_token(
    name: str,
    role: Annotated[str, typer.Option(help="reader, writer, operator or admin")] = "reader",
    days: Annotated[float | None, typer.Option(help="how long it is valid; without it, until it is revoked")] = None,
    data: Folder = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Make a token. It is shown this once, alone on standard output."""
    from driftline.resources.access import NewToken

    out.json = json
    asked: dict[str, Any] = {"role": role}
    with _place(data, url) as place:
        made = place.create_token(NewToken(name, days=days, **asked))
        _note(place, "create_token", name)
    until = "until it is revoked" if made.token.expires is None else f"until {brief(made.token.expires)}"
    out.say(f"token {name} of role {role}, valid {until}; keep it now, it is not shown again")
    out.result(made, [made.secret])
    return 0


@token.command("list")
def list_tokens(data: Folder = None, url: Url = None, json: Json = False) -> int:
    """Every token, without what is secret."""
    out.json = json
    with _place(data, url) as place:
        found = place.list_tokens()
    rows = [
        (
            row.name,
            row.role,
            "revoked" if row.revoked else brief(row.expires) if row.expires else "no end",
            brief(row.last_used) if row.last_used else "never",
        )
        for row in found
    ]
    out.result(found, table(rows, ("token", "role", "valid until", "last used")))
    return 0


@token.command("revoke")
def revoke_token(name: str, data: Folder = None, url: Url = None, json: Json = False) -> int:
    """Make a token void, with the sessions it opened."""
    out.json = json
    with _place(data, url) as place:
        found = place.revoke_token(name)
        _note(place, "revoke_token", name)
    out.result(found, [f"{name} is void; a serving process notices within 5 seconds"])
    return 0


def audit(
    target: Annotated[str | None, typer.Option(help="only of this target, such as endpoints/churn")] = None,
    actor: Annotated[str | None, typer.Option(help="only by this token")] = None,
    since: Annotated[str | None, typer.Option(help="only from this time on (ISO 8601)")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    data: Folder = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """What was done, by whom, and what came of it, newest first."""
    out.json = json
    with _place(data, url) as place:
        found = place.list_audit(target=target, actor=actor, since=since, limit=limit)
    rows = [
        (brief(row.time), row.actor, row.role, row.action, row.target, row.outcome, row.detail.get("requests", ""))
        for row in found
    ]
    out.result(found, table(rows, ("time", "by", "role", "did", "to", "outcome", "times")))
    return 0


@contextmanager
def _place(data: Path | None, url: str | None) -> Iterator[Client | Service]:
    """The data folder itself, for whoever may write in it, or the service."""
    if data is not None:
        from driftline.service import Service
        from driftline.storage.database import database_of_environment

        with Service(data, database=database_of_environment()) as service:
            yield service
        return
    from driftline.client import Client

    with Client(url) as client:
        yield client


def _note(place: Client | Service, action: str, name: str) -> None:
    """Changes made in the folder itself are written down here; a service writes its own."""
    from driftline.service import Service

    if isinstance(place, Service):
        from driftline.service.door import Door, Visitor

        Door(place.store).record(Visitor("data folder", "admin"), action, f"tokens/{name}", "done")
