"""``driftline batch …``: jobs that run once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.analysis import read_file
from driftline.cli.endpoints import Json, Url
from driftline.cli.output import brief, out, table

if TYPE_CHECKING:
    from driftline.resources.batch_jobs import BatchJob

batch = typer.Typer(help="Jobs that run once, such as the baseline of a dataset in a bucket.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="the job's name")]


@batch.command("list")
def list_jobs(
    kind: Annotated[str | None, typer.Option(help="only jobs of this kind, such as baseline")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most so many")] = 100,
    url: Url = None,
    json: Json = False,
) -> int:
    """Jobs, newest first."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_batch_jobs(kind=kind, limit=limit)
    rows = [(job.name, job.kind, job.status, brief(job.created), job.message or "") for job in found]
    out.result(found, table(rows, ("job", "kind", "status", "asked for", "message")) if rows else ["no batch jobs"])
    return 0


@batch.command("show")
def show_job(name: Name, url: Url = None, json: Json = False) -> int:
    """One job, as it is."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        return _tell(client.get_batch_job(name))


@batch.command("log")
def job_log(name: Name, url: Url = None) -> int:
    """What a job's process has printed so far."""
    from driftline.client import Client

    with Client(url) as client:
        out.result(None, client.batch_job_log(name).decode("utf-8", "replace").splitlines())
    return 0


@batch.command("stop")
def stop_job(name: Name, url: Url = None, json: Json = False) -> int:
    """Stop a job that has not finished."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        client.stop_batch_job(name)
        _tell(client.get_batch_job(name))
    return 0


@batch.command("start")
def start_job(
    file: Annotated[Path, typer.Argument(help="JSON: name, kind, and the settings of that kind")],
    wait: Annotated[bool, typer.Option("--wait", help="until it has finished; exit code 1 when it failed")] = False,
    url: Url = None,
    json: Json = False,
) -> int:
    """Ask for the job that a file describes."""
    import msgspec

    from driftline.client import Client
    from driftline.core.errors import InputError
    from driftline.resources.batch_jobs import NewBatchJob

    out.json = json
    try:
        asked = msgspec.json.decode(read_file(file), type=NewBatchJob)
    except (msgspec.DecodeError, UnicodeError) as error:
        hint = 'write {"name": …, "kind": "baseline", "settings": {…}}'
        raise InputError(f"{file} describes no job", evidence=str(error), hint=hint) from None
    with Client(url) as client:
        found = client.start_batch_job(asked.name, asked.kind, asked.settings)
        return _tell(client.wait_for_batch_job(found.name) if wait else found)


def _tell(job: BatchJob) -> int:
    lines = [f"{job.name}  {job.kind}  {job.status}"]
    lines += [f"  {line}" for line in (job.error or job.message or "").splitlines()]
    lines += [f"  {name}: {value}" for name, value in job.result.items()]
    out.result(job, lines)
    return 1 if job.status == "Failed" else 0
