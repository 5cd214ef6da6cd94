"""``driftline aws …``: programs of AWS, talking to driftline."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.endpoints import Json
from driftline.cli.output import out
from driftline.core.errors import InputError, SetupError

if TYPE_CHECKING:
    from driftline.storage.aws_server import AwsServer

aws = typer.Typer(help="AWS clients: their environment and their keys.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--data", help="the data folder of the server")]
TokenName = Annotated[
    str | None, typer.Option("--token", help="where access is on: the token whose access key is used")
]


@aws.command("keys")
def keys(token: str, data: Folder, json: Json = False) -> int:
    """Show the access key of a token, for AWS clients of a server with access control."""
    from driftline.service import Service
    from driftline.service.access_keys import AccessKeys
    from driftline.storage.database import database_of_environment

    out.json = json
    with Service(data, database=database_of_environment()) as service:
        found = AccessKeys(service.store, service.layout).of(token)
    shown = {"AWS_ACCESS_KEY_ID": found.id, "AWS_SECRET_ACCESS_KEY": found.secret}
    out.result(shown, [f"{name}={value}" for name, value in shown.items()])
    return 0


@aws.command("env")
def env(
    data: Annotated[Path | None, typer.Option("--data", help="the data folder of a server on this machine")] = None,
    url: Annotated[str | None, typer.Option(help="instead: the address of a server elsewhere")] = None,
    token: TokenName = None,
    json: Json = False,
) -> int:
    """Print the lines that make a shell's AWS clients talk to driftline: eval "$(driftline aws env --data DIR)"."""
    from driftline.cli.aws_environment import UNWANTED, environment, remote_environment

    out.json = json
    if (data is None) == (url is None):
        raise InputError("either a data folder or an address is needed", hint="give --data DIR, or --url URL")
    if data is None:
        given = remote_environment(str(url))
        out.say("# the SageMaker SDK's get_execution_role() needs a server on this machine, and --data")
    else:
        given = environment(data, _server(data), token)
    gone = [f"unset {' '.join(sorted(UNWANTED - set(given)))}"]
    out.result(given, gone + [f"export {name}={shlex.quote(value)}" for name, value in given.items()])
    return 0


@aws.command("run", context_settings={"allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(help="the program and its arguments, after --")],
    data: Folder,
    token: TokenName = None,
    fire_every: Annotated[
        float | None,
        typer.Option(
            help="for demos and tests, of a server that is started for it: run schedules every so many seconds"
        ),
    ] = None,
) -> int:
    """Run a program whose AWS clients talk to driftline; its exit code is ours.

    Where no server answers AWS clients for the data folder, one is started until the program ends.
    """
    from driftline.cli.aws_environment import UNWANTED, environment
    from driftline.storage.aws_server import announced
    from driftline.storage.layout import Layout

    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    server = announced(Layout(data))
    if server is not None and fire_every is not None:
        hint = "leave out --fire-every; or stop that server and start it with driftline serve --aws --fire-every"
        raise InputError(f"a server answers for {data} already, with schedules of its own", hint=hint)
    if server is not None:
        return _ended(command, kept | environment(data, server, token))
    with _started(data, fire_every) as server:
        return _ended(command, kept | environment(data, server, token))


def _server(data: Path) -> AwsServer:
    from driftline.storage.aws_server import announced
    from driftline.storage.layout import Layout

    found = announced(Layout(data))
    if found is None:
        hint = f"start one: driftline serve --aws --data {data}; or let driftline aws run do it"
        raise SetupError(f"no server answers AWS clients for the data folder {data}", hint=hint)
    return found


def _ended(command: list[str], environment: dict[str, str]) -> int:
    """Run a program to its end; interrupts are its business. Its exit code, or that of shells for a signal."""
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        hint = "write the program and its arguments after --"
        raise InputError(f"cannot run {command[0]}", evidence=error.strerror or str(error), hint=hint) from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: process.send_signal(number) if number == signal.SIGTERM else None)
    code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _started(data: Path, fire_every: float | None) -> Iterator[AwsServer]:
    """A server for as long as it is needed; it ends with this process, whatever ends that."""
    from driftline.processes.ending import end_with_parent
    from driftline.storage.layout import Layout

    log = Layout(data).create().logs / "aws-run.log"
    words = [sys.executable, "-P", "-m", "driftline.cli", "serve", "--aws", "--port", "0", "--data", str(data)]
    words += [] if fire_every is None else ["--fire-every", str(fire_every)]
    with log.open("wb") as voice:
        # A session of its own: an interrupt at the keyboard is the program's business.
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=voice,
            stderr=voice,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - there is one thread here
        )
    try:
        server = _awaited(process, data, log)
        out.say(f"driftline serves {data} on {server.url} until the program ends")
        if fire_every is not None:
            out.say(f"SCHEDULES RUN EVERY {fire_every:g} SECONDS, not when they should: for demos and tests only")
        yield server
    finally:
        process.terminate()
        process.wait()


def _awaited(process: subprocess.Popen[bytes], data: Path, log: Path) -> AwsServer:
    """The server, as soon as it answers."""
    import time

    import httpx

    from driftline.storage.aws_server import announced
    from driftline.storage.layout import Layout

    while process.poll() is None:
        found = announced(Layout(data))
        if found is not None and found.pid == process.pid:
            httpx.get(f"{found.url}/healthz", timeout=60, trust_env=False)
            return found
        time.sleep(0.05)
    said = log.read_text(errors="replace").strip()
    raise SetupError("the server did not start", evidence=said[-1500:], hint=f"its whole log is {log}")
