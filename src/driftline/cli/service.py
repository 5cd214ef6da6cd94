"""``driftline serve`` and ``driftline doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from driftline.cli.output import ERROR, out, paint
from driftline.core.configuration import DATABASE

Data = Annotated[Path, typer.Option("--data", help="the data folder")]


def serve(
    data: Data,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one", min=0, max=65535)] = 8080,
    workers: Annotated[int, typer.Option(help="web processes", min=1, max=64)] = 1,
    database: Annotated[
        str | None,
        typer.Option(help="database URL; give one with a password in the variable", envvar=DATABASE.name),
    ] = None,
    access: Annotated[
        str | None, typer.Option(help="on: a token is needed; off: it is not. Without it, off on loopback and else on")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="serve https with this certificate, with its chain")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="the certificate's key")] = None,
    clock: Annotated[
        Path | None, typer.Option(help="for demos and tests: a file that holds the time", hidden=True)
    ] = None,
    role: Annotated[
        str, typer.Option(help="all, web (no scheduler here) or scheduler (no web processes, no port)")
    ] = "all",
    node: Annotated[
        str | None, typer.Option(help="the name of this data folder among all on one database; else the host's")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="address by which people reach the pages, for links in notifications")
    ] = None,
    aws: Annotated[bool, typer.Option("--aws", help="answer AWS clients too, with an S3 server over DATA/s3")] = False,
    region: Annotated[str, typer.Option(help="with --aws: the region that names are made of")] = "us-east-1",
    account: Annotated[str, typer.Option(help="with --aws: the account, twelve digits")] = "000000000000",
    fire_every: Annotated[
        float | None,
        typer.Option(help="for demos and tests: every schedule runs every so many seconds", min=1),
    ] = None,
) -> int:
    """Serve models, capture, and run the schedules of a data folder until stopped with Ctrl-C."""
    import logging
    import os
    import signal
    import threading
    from contextlib import nullcontext

    from driftline.cli.aws_side import aws_side
    from driftline.cli.guard import check_role, decide, tls_options
    from driftline.core.configuration import check_environment
    from driftline.jobs.companions import shipper_companions
    from driftline.jobs.shared import open_shared
    from driftline.jobs.supervisor import Supervisor, listen
    from driftline.service import Service
    from driftline.storage.layout import Layout

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tls = tls_options(tls_cert, tls_key)
    check_role(role, aws=aws)
    # What cannot be used (a variable, a folder, a database) is told here, before any process is started.
    check_environment(os.environ)
    open_shared(Layout(data))
    with Service(data, database=database, patient=True) as service:
        name = service.enter_node(node)
        guarded = role != "scheduler" and decide(access, host, service)
        many = service.store.remote
    listening = None if role == "scheduler" else listen(host, port)
    here = "" if listening is None else _address(host, listening.getsockname()[1], secure=bool(tls))
    options = ["--access", "on" if guarded else "off", *tls, *(["--scheduler-elsewhere"] if role == "web" else [])]
    side = aws_side(data, here, region=region, account=account, access=guarded) if aws else None
    supervisor = Supervisor(
        data,
        listening,
        workers=workers,
        url=url or here,
        clock=clock,
        database=database,
        web_options=[*options, *(side.web_options if side else ())],
        job_options=[] if fire_every is None else ["--fire-every", f"{fire_every:g}"],
        companions=[*(side.companions if side else ()), *shipper_companions(data, clock)],
        scheduler=role != "web",
    )
    if here and not guarded:
        out.say(paint(f"access is off: everyone who reaches {here} may do everything", "yellow"))
    if clock is not None:
        out.say(paint(f"the time is what {clock} says, not real time: for demos and tests only", "yellow"))
    if fire_every is not None:
        out.say(
            paint(f"SCHEDULES RUN EVERY {fire_every:g} SECONDS, not when they should: for demos and tests only", "red")
        )
    does = f"serves {data} on {here}" if here else f"runs the schedules of {data}"
    who = f" as node {name} (role {role})" if many else ""
    with side.announced() if side else nullcontext():
        supervisor.run(stop, started=lambda: out.say(f"driftline {does}{who} (Ctrl-C stops it)"))
    out.say("driftline stopped")
    return 0


def _address(host: str, port: int, *, secure: bool) -> str:
    return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def doctor(
    data: Annotated[Path | None, typer.Option("--data", help="a data folder to look at")] = None,
    url: Annotated[str | None, typer.Option(help="address of the service")] = None,
    json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> int:
    """Look at this machine, a data folder and a service, and say what is wrong and what to do."""
    from driftline.cli.checkup import checkup

    out.json = json
    findings = checkup(data, url)
    marks: dict[str, Any] = {"ok": paint("✓", "green"), "warning": paint("!", "yellow"), "wrong": paint("✕", "red")}
    lines = [
        f"{marks[finding.state]} {finding.what}" + (f"\n    {finding.hint}" if finding.hint else "")
        for finding in findings
    ]
    out.result(findings, lines)
    return ERROR if any(finding.state == "wrong" for finding in findings) else 0
