"""``python -m driftline.aws.identity``: a proxy on this machine that answers as the services of AWS.

The SageMaker SDK asks ``https://sts.REGION.amazonaws.com`` who it is, whatever endpoint it was told. With this process
as its ``HTTPS_PROXY`` and the authority of the data folder in ``AWS_CA_BUNDLE``, driftline answers. Connections to
other names pass through unread.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import logging
import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from driftline.core.errors import DriftlineError
from driftline.storage.authority import LEAF_DAYS, Authority

_log = logging.getLogger("driftline.aws.identity")
_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_DOMAIN = r"amazonaws\.com(?:\.cn)?"
_ANSWERED = re.compile(rf"(?:sts|iam|(?:sts|iam|monitoring|logs|kms|(?:api|runtime)\.sagemaker)\.{_REGION})\.{_DOMAIN}")
# The SDK tells its maker what it is used for; nothing leaves a machine because of driftline.
_TELEMETRY = re.compile(rf"sm-pysdk-t-.*\.{_DOMAIN}")
_HEAD_SECONDS, _PIECE, _PARENT_POLL = 30.0, 1 << 16, 0.25
_RENEW_SECONDS = LEAF_DAYS / 2 * 86_400
_ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"


class Identity:
    """The proxy: ``server`` is driftline's own address, ``upstream`` the proxy for everything else."""

    def __init__(self, authority: Authority, server: str, upstream: Mapping[str, str]) -> None:
        self._authority, self._server, self._environment = authority, urlsplit(server), upstream
        self._contexts: dict[str, tuple[float, ssl.SSLContext]] = {}

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection of a client."""
        try:
            host, port = await asyncio.wait_for(_asked(reader), _HEAD_SECONDS)
            if _TELEMETRY.fullmatch(host):
                raise _RefusedError(403, "telemetry does not leave this machine")
            if _ANSWERED.fullmatch(host) and port == 443:
                await self._answer_as(host, reader, writer)
            else:
                await self._tunnel(host, port, reader, writer)
        except _RefusedError as refusal:
            await _refuse(writer, refusal)
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            _log.info("a connection ended: %s", error)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer_as(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speaks TLS as the host, and hands what it is asked to driftline as it stands."""
        context = await self._context(host)
        writer.write(_ESTABLISHED)
        await writer.drain()
        await writer.start_tls(context)
        there, back = await asyncio.open_connection(
            _reachable(self._server.hostname or ""), self._server.port, ssl=self._own_tls()
        )
        await _joined(reader, writer, there, back)

    async def _context(self, host: str) -> ssl.SSLContext:
        """What is needed to speak as a host, made anew long before its certificate ends."""
        made, context = self._contexts.get(host, (0.0, None))
        if context is None or time.time() - made > _RENEW_SECONDS:
            context = await asyncio.to_thread(self._authority.context, host)
            self._contexts[host] = time.time(), context
        return context

    def _own_tls(self) -> ssl.SSLContext | None:
        """To our own server on this machine, whose certificate names the address that others know."""
        if self._server.scheme != "https":
            return None
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    async def _tunnel(self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await self._connected(host, port)
        except (OSError, UnicodeError, EOFError, asyncio.LimitOverrunError) as error:
            raise _RefusedError(502, f"cannot reach {host}:{port}: {error}") from None
        writer.write(_ESTABLISHED)
        await writer.drain()
        await _joined(reader, writer, there, back)

    async def _connected(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a host, through the user's own proxy where there is one."""
        given = self._environment.get("https_proxy") or self._environment.get("HTTPS_PROXY")
        direct = self._environment.get("no_proxy") or self._environment.get("NO_PROXY") or ""
        if not given or _direct(host, direct):
            return await asyncio.open_connection(host, port)
        proxy = urlsplit(given if "://" in given else f"http://{given}")
        there, back = await asyncio.open_connection(proxy.hostname, proxy.port or 80)
        back.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{_credentials(proxy)}\r\n".encode())
        await back.drain()
        head = await there.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] != [b"200"]:
            back.close()
            raise OSError(f"the proxy {proxy.hostname} refused: {head.splitlines()[0].decode('latin-1')[:200]}")
        return there, back


class _RefusedError(Exception):
    """A request that is answered with a status and a line."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status, self.what = status, what


async def _asked(reader: asyncio.StreamReader) -> tuple[str, int]:
    """The host and port that a client wants to be connected with."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _RefusedError(431, "the head is too long") from None
    method, _, rest = head.partition(b" ")
    if method != b"CONNECT":
        raise _RefusedError(405, "this is a proxy for https alone")
    try:
        target = urlsplit(f"//{rest.partition(b' ')[0].decode('ascii')}")
        host, port = target.hostname or "", target.port or 443
    except ValueError:
        host, port = "", 0
    if not host:
        raise _RefusedError(400, "CONNECT HOST:PORT is wanted")
    return host, port


async def _refuse(writer: asyncio.StreamWriter, refusal: _RefusedError) -> None:
    body = f"driftline: {refusal.what}\n".encode()
    head = f"HTTP/1.1 {refusal.status} Refused\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with suppress(OSError):
        writer.write(head.encode() + body)
        await writer.drain()


async def _joined(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamReader, back: asyncio.StreamWriter
) -> None:
    """Two connections handed on to each other, until either ends."""
    try:
        ways = [asyncio.create_task(_passed_on(reader, back)), asyncio.create_task(_passed_on(there, writer))]
        _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in rest:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    finally:
        back.close()
        with suppress(OSError):
            await back.wait_closed()


async def _passed_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(_PIECE):
            target.write(piece)
            await target.drain()


def _direct(host: str, names: str) -> bool:
    """Whether a host is reached without the user's proxy, by the list in ``NO_PROXY``.

    >>> _direct("git.corp.example", "localhost, .corp.example"), _direct("elsewhere.example", "corp.example")
    (True, False)
    """
    known = [name.strip().lstrip(".").lower() for name in names.split(",") if name.strip()]
    return "*" in known or any(host == name or host.endswith(f".{name}") for name in known)


def _credentials(proxy: SplitResult) -> str:
    if not proxy.username:
        return ""
    shown = base64.b64encode(f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()).decode()
    return f"Proxy-Authorization: Basic {shown}\r\n"


def _reachable(host: str) -> str:
    """Where this machine reaches a server that listens on an address, which may stand for all of them."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer until told to stop, or until the parent process ends; 0, or 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m driftline.aws.identity")
    parser.add_argument("--data", type=Path, required=True, help="the data folder, whose authority vouches for names")
    parser.add_argument("--socket", type=int, required=True, help="the listening socket's file descriptor")
    parser.add_argument("--server", required=True, help="driftline's own address")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        proxy = Identity(Authority(options.data / "aws"), options.server, os.environ)
    except DriftlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(proxy, socket.socket(fileno=options.socket), options.parent))
    return 0


async def _serve(proxy: Identity, listening: socket.socket, parent: int) -> None:
    async with await asyncio.start_server(proxy, sock=listening):
        while os.getppid() == parent:
            await asyncio.sleep(_PARENT_POLL)


if __name__ == "__main__":
    sys.exit(main())
