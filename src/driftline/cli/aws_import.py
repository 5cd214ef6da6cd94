"""``driftline aws import``: an account's monitoring, made here."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.aws import aws
from driftline.cli.endpoints import Json, Url
from driftline.cli.output import ERROR, OK, out, paint, table
from driftline.core.errors import InputError, ServiceError, SetupError

if TYPE_CHECKING:
    from driftline.account.bringing import Brought
    from driftline.account.reading import Account, Clients
    from driftline.account.targets import Target
    from driftline.sagemaker.images import Images

_SERVICES = ("sagemaker", "s3", "cloudwatch", "events")
_STYLES = {"made": "green", "planned": "green", "failed": "red", "no counterpart": "yellow"}


@aws.command("import")
def import_account(
    profile: Annotated[str | None, typer.Option(help="profile of the AWS configuration; else the usual one")] = None,
    region: Annotated[str | None, typer.Option(help="region of the account; else that of the profile")] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="where the account's services are, when not at Amazon")
    ] = None,
    endpoint: Annotated[list[str] | None, typer.Option(help="only what belongs to it; again for each")] = None,
    output: Annotated[str | None, typer.Option(help="s3://BUCKET/PREFIX for results, else where they are now")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="make nothing: tell what would be made")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="the data folder to bring it to")] = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Bring a SageMaker account's monitoring over: endpoints, baselines, schedules and alarms.

    The account is only read. Captures and labels stay in their buckets, where schedules read them: see
    DRIFTLINE_S3_ENDPOINT. What is here already is left alone.
    """
    from datetime import UTC, datetime

    from driftline.account.bringing import bring, planned
    from driftline.account.plan import plan
    from driftline.core.configuration import S3_ENDPOINT
    from driftline.core.uris import object_uri

    out.json = json
    if data is not None and url is not None:
        raise InputError("a data folder and an address were given", hint="give --data DIR, or --url URL")
    if output is not None:
        object_uri(output)
    account = _read(_clients(profile, region, endpoint_url), tuple(endpoint or ()), _images(data))
    items = plan(account, datetime.now(UTC), output)
    if dry_run:
        found = planned(items)
    else:
        with _target(data, url) as target:
            found = bring(items, target)
    _tell(account, found)
    if not S3_ENDPOINT.of(os.environ):
        out.say(f"schedules read the account's buckets where {S3_ENDPOINT.name} is set for the service: aws, or a URL")
    return ERROR if _lacking(account) or any(one.outcome == "failed" for one in found) else OK


def _clients(profile: str | None, region: str | None, endpoint_url: str | None) -> Clients:
    """Clients of the account; nothing is asked yet."""
    from driftline.account.reading import Clients

    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        hint = "pip install 'driftline[aws]'"
        raise SetupError("reading an account needs boto3", evidence=str(error), hint=hint) from None
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return Clients(*(session.client(name, endpoint_url=endpoint_url) for name in _SERVICES))
    except (BotoCoreError, ValueError) as error:
        hint = "give --profile and --region as the AWS command line would have them"
        raise InputError("no account can be asked", evidence=str(error), hint=hint) from None


def _read(clients: Clients, only: tuple[str, ...], images: Images) -> Account:
    """What the account has; raises :class:`ServiceError` where it cannot be reached at all."""
    from botocore.exceptions import BotoCoreError

    from driftline.account.reading import read_account

    try:
        return read_account(clients, only, images)
    except BotoCoreError as error:
        hint = "check the credentials of the profile, and the connection"
        raise ServiceError("the account cannot be read", evidence=str(error), hint=hint) from None


def _images(data: Path | None) -> Images:
    """What stands for images here; only a data folder has rules of its own for that."""
    from driftline.sagemaker.images import Images
    from driftline.service.images import read_images
    from driftline.storage.layout import Layout

    return Images() if data is None else read_images(Layout(data))


@contextmanager
def _target(data: Path | None, url: str | None) -> Iterator[Target]:
    from driftline.account.targets import FolderTarget, RemoteTarget
    from driftline.client import Client
    from driftline.service import Service
    from driftline.storage.database import database_of_environment

    if data is None:
        with Client(url) as client:
            if not client.healthy():
                hint = "start it (driftline serve --data DIR), or give --url or --data"
                raise ServiceError(f"no service answers at {client.url}", hint=hint)
            yield RemoteTarget(client)
    else:
        with Service(data, database=database_of_environment()) as service:
            yield FolderTarget(service)


def _lacking(account: Account) -> list[str]:
    from driftline.account.reading import NEEDED

    return [one.part for one in account.unread if one.part in NEEDED]


def _tell(account: Account, found: Sequence[Brought]) -> None:
    """The table, below it what will differ, and what was not read; with ``--json`` all in one document."""
    counts = Counter(one.outcome for one in found)
    document: dict[str, Any] = {"items": found, "counts": dict(counts), "unread": account.unread}
    lines = table(
        [(one.kind, one.name, paint(one.outcome, _STYLES.get(one.outcome, "dim")), one.says) for one in found],
        ("kind", "name", "", "what"),
    )
    differing = [one for one in found if one.differs]
    if differing:
        lines += ["", "what will differ:"]
    for one in differing:
        lines += [f"  {one.kind} {one.name}", *(f"    - {text}" for text in one.differs)]
    out.result(document, lines)
    for part in account.unread:
        out.say(f"{paint('not read:', 'yellow')} {part.part}: {part.reason}")
    out.say(", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "nothing was found")
