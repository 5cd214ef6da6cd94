"""The proxy that answers as the services of AWS: real connections, and what nobody should send."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from driftline.aws import identity
from driftline.aws.identity import Identity
from driftline.storage.authority import Authority

STS = "sts.eu-central-1.amazonaws.com"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.write_bundle()
    return made


def saying(what: bytes) -> Handler:
    """A server that answers what it is told first with a word of its own before it."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(what + await reader.read(1000))
        await writer.drain()
        writer.close()

    return handler


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    """The port of a server, which ends when it is done with every connection."""
    at_work: set[asyncio.Task[None] | None] = set()

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_work.add(asyncio.current_task())
        await handler(reader, writer)

    server = await asyncio.start_server(counted, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*filter(None, at_work), return_exceptions=True), 20)


class World:
    """The proxy before a server that says ``driftline``, and another host beside it."""

    def __init__(self, proxy: int, here: int, other: int) -> None:
        self._proxy, self.here, self.other = proxy, here, other

    async def sent(self, content: bytes, *, end: bool = True) -> bytes:
        """All that the proxy answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._proxy)
        writer.write(content)
        if end:
            writer.write_eof()
        found = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return found

    async def through(self, target: str, tls: ssl.SSLContext | None = None) -> bytes:
        """What a host says to ``hello`` through a tunnel."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._proxy)
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection Established\r\n\r\n"
        if tls is not None:
            await writer.start_tls(tls, server_hostname=target.partition(":")[0])
        writer.write(b"hello")
        found = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return found


def within(authority: Authority, work: Callable[[World], Awaitable[Any]]) -> Any:
    """Runs work in such a world; nothing may go wrong unseen."""
    lost: list[dict[str, Any]] = []

    async def all_of_it() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: lost.append(what))
        async with listening(saying(b"driftline ")) as here, listening(saying(b"other ")) as other:
            proxy = Identity(authority, f"http://127.0.0.1:{here}", {})
            async with listening(proxy) as port:
                return await work(World(port, here, other))

    found = asyncio.run(all_of_it())
    assert not lost
    return found


@pytest.mark.parametrize("host", [STS, "STS.amazonaws.com", "api.sagemaker.us-gov-west-1.amazonaws.com"])
def test_services_of_aws_are_answered_by_driftline(authority: Authority, host: str) -> None:
    trusted = ssl.create_default_context(cafile=str(authority.bundle))
    assert within(authority, lambda world: world.through(f"{host}:443", trusted)) == b"driftline hello"
    assert within(authority, lambda world: world.through(host, trusted)) == b"driftline hello", (
        "443 goes without saying"
    )


def test_whoever_was_not_told_does_not_believe_it(authority: Authority) -> None:
    async def asked(world: World) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await world.through(f"{STS}:443", ssl.create_default_context())
        assert await world.through(f"127.0.0.1:{world.other}") == b"other hello", "the proxy goes on"

    within(authority, asked)


def test_other_hosts_are_reached_unread(authority: Authority) -> None:
    assert within(authority, lambda world: world.through(f"127.0.0.1:{world.other}")) == b"other hello"


def test_telemetry_stays_here(authority: Authority) -> None:
    target = b"sm-pysdk-t-us-west-2.s3.us-west-2.amazonaws.com:443"
    found = within(authority, lambda world: world.sent(b"CONNECT %s HTTP/1.1\r\n\r\n" % target))
    assert found.startswith(b"HTTP/1.1 403 ")
    assert b"telemetry does not leave this machine" in found


def test_the_user_s_own_proxy_is_used_for_the_rest(authority: Authority) -> None:
    seen: list[bytes] = []

    async def corporate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        refused = b"forbidden.example" in seen[-1]
        writer.write(b"HTTP/1.1 407 No\r\n\r\n" if refused else b"HTTP/1.1 200 OK\r\n\r\n")
        if not refused:
            await saying(b"corporate ")(reader, writer)
        writer.close()

    async def asked() -> None:
        async with listening(corporate) as port, listening(saying(b"near ")) as near:
            known = {"HTTPS_PROXY": f"http://me:pass%20word@127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}
            async with listening(Identity(authority, "http://127.0.0.1:1", known)) as proxy:
                world = World(proxy, 0, 0)
                assert await world.through("far.example:8443") == b"corporate hello"
                assert await world.through(f"127.0.0.1:{near}") == b"near hello"
                found = await world.sent(b"CONNECT forbidden.example:443 HTTP/1.1\r\n\r\n")
                assert found.startswith(b"HTTP/1.1 502 ")

    asyncio.run(asked())
    assert seen[0].splitlines()[0] == b"CONNECT far.example:8443 HTTP/1.1"
    assert b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk\r\n" in seen[0]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", b""),
        (b"CONN", b""),
        (b"CONNECT sts.eu-central-1.amazonaws.com:443 HTTP/1.1\r\n", b""),
        (b"GET http://example.com/ HTTP/1.1\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"405"),
        (b"CONNECT \r\n\r\n", b"400"),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT a:b:c HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT host:99999 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT [::1 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT \xff\xfe:443 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", b"502"),
        (b"CONNECT a..b:443 HTTP/1.1\r\n\r\n", b"502"),
        (b"CONNECT a:443 HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_garbage_ends_its_own_connection_only(authority: Authority, content: bytes, status: bytes) -> None:
    async def asked(world: World) -> bytes:
        found = await world.sent(content)
        assert await world.through(f"127.0.0.1:{world.other}") == b"other hello"
        return found

    found = within(authority, asked)
    assert found.partition(b" ")[2][:3] == status, found


def test_idle_connections_are_closed(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_HEAD_SECONDS", 0.05)
    assert within(authority, lambda world: world.sent(b"CONNECT ", end=False)) == b""


def test_tls_that_is_none_harms_nobody(authority: Authority) -> None:
    async def asked(world: World) -> None:
        found = await world.sent(b"CONNECT %s:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n" % STS.encode())
        assert found.startswith(b"HTTP/1.1 200 ")
        assert await world.through(f"127.0.0.1:{world.other}") == b"other hello"

    within(authority, asked)


def test_a_server_that_is_gone_ends_the_connection(authority: Authority) -> None:
    trusted = ssl.create_default_context(cafile=str(authority.bundle))

    async def asked() -> None:
        async with listening(Identity(authority, "http://127.0.0.1:1", {})) as port:
            assert await World(port, 0, 0).through(f"{STS}:443", trusted) == b""

    asyncio.run(asked())


def test_certificates_are_made_anew_before_they_end(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Identity(authority, "http://127.0.0.1:1", {})

    async def contexts() -> list[ssl.SSLContext]:
        found = [await proxy._context(STS), await proxy._context(STS)]
        monkeypatch.setattr(identity, "_RENEW_SECONDS", -1)
        return [*found, await proxy._context(STS)]

    first, second, third = asyncio.run(contexts())
    assert first is second
    assert third is not first


def test_the_process_says_why_it_cannot_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "ca.pem").write_bytes(b"broken")
    assert identity.main(["--data", str(tmp_path), "--socket", "0", "--server", "http://127.0.0.1:1"]) == 2
    assert "holds no key and certificate" in capsys.readouterr().err
