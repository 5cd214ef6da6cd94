"""Which servers a proxy endpoint may stand in front of."""

from __future__ import annotations

import os
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from driftline.core.configuration import ALLOW_UPSTREAM
from driftline.core.errors import InputError

Address = IPv4Address | IPv6Address
# Where clouds tell a machine its credentials; most are link-local, these are not.
_METADATA = {ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "168.63.129.16", "192.0.0.192")}
_METADATA_NAMES = {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
_TRANSLATED = ip_network("64:ff9b::/96")
_HINT = (
    "name the model server's own address; to allow this one, start the service with"
    f" {ALLOW_UPSTREAM.name}=HOST or =NETWORK"
)


def check_upstream(url: str) -> str:
    """The URL of a model server, as it may be stored; raises :class:`InputError` for one that is refused."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"{url[:200]!r} is no URL", evidence=str(error), hint="write http://host:port/path") from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(
            "an upstream must be the URL of an HTTP server",
            evidence=repr(url[:200]),
            hint="write http://host:port/path",
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        hint = "leave it out: the URL is shown to everyone who may see the endpoint"
        raise InputError("an upstream must not hold a user, a password or a fragment", hint=hint)
    check_host(host)
    return url


def check_host(host: str) -> None:
    """Raises :class:`InputError` for the name or address of a host that must not be asked."""
    name = host.lower().rstrip(".")
    found = _literal(name)
    if (found is not None and _refused(found)) or (found is None and name in _METADATA_NAMES):
        if not _allowed(name, found):
            raise InputError("this upstream is refused: link-local and metadata addresses", evidence=host, hint=_HINT)
    elif found is not None and (found.is_multicast or found.is_unspecified):
        raise InputError("this upstream is no host's address", evidence=host, hint="name the model server's address")


def _literal(name: str) -> Address | None:
    """The address that a text is, also in the old ways of writing one (``2852039166``, ``0xa9.254.43518``)."""
    try:
        return ip_address(name.partition("%")[0])
    except ValueError:
        pass
    if name[:1].isdigit():
        try:
            return ip_address(socket.inet_aton(name))
        except OSError:
            pass
    return None


def _refused(address: Address) -> bool:
    inner = _inner(address)
    return inner.is_link_local or inner in _METADATA


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _allowed(name: str, address: Address | None) -> bool:
    for entry in ALLOW_UPSTREAM.of(os.environ):
        wanted = entry.lower()
        if wanted == name:
            return True
        try:
            network = ip_network(wanted, strict=False)
        except ValueError:
            continue
        if address is not None and (address in network or _inner(address) in network):
            return True
    return False
