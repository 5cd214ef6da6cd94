"""What a server is told about access and TLS before it starts, and what it refuses to start with."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime
from pathlib import Path

from driftline.core.errors import InputError, SetupError
from driftline.service import Service

ROLES = ("all", "web", "scheduler")


def check_role(role: str, *, aws: bool) -> None:
    """Raises :class:`InputError` for what is no role of a node, or cannot do what is asked of it."""
    if role not in ROLES:
        raise InputError(f"--role {role!r} is no role of a node", hint=f"use one of {', '.join(ROLES)}")
    if aws and role == "scheduler":
        raise InputError("a node of the role scheduler answers nobody", hint="give --aws to the nodes of the role web")


def decide(asked: str | None, host: str, service: Service) -> bool:
    """Whether a token is needed: as asked, else on every address that other machines reach.

    Raises :class:`SetupError` where it is and there is no token that could make others.
    """
    if asked not in (None, "on", "off"):
        raise InputError(f"--access {asked!r} is neither on nor off", hint="write --access on or --access off")
    now = datetime.now(UTC)
    guarded = asked == "on" or (asked is None and not loopback(host))
    # While the database is away nobody can be checked, and nobody is let in.
    known = service.list_tokens() if guarded and service.store.away is None else None
    if known is not None and not any(token.role == "admin" and token.valid(now) for token in known):
        raise SetupError(
            f"{host} needs a token from everyone, and there is no token of an admin yet",
            hint=f"make one: driftline token create NAME --role admin --data {service.layout.data}",
        )
    return guarded


def loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> loopback("127.0.0.1"), loopback("::1"), loopback("localhost"), loopback("0.0.0.0"), loopback("example.org")
    (True, True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_options(cert: Path | None, key: Path | None) -> list[str]:
    """The web processes' options for TLS; the files are tried here, where a person sees what is wrong with them."""
    if cert is None and key is None:
        return []
    if cert is None or key is None:
        raise InputError("TLS needs a certificate and its key", hint="give both --tls-cert and --tls-key")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password=_no_password)
    except (OSError, ValueError) as error:
        hint = "give PEM files that this user may read, of one pair, and a key without a password"
        raise SetupError("the certificate or its key cannot be used", evidence=str(error), hint=hint) from None
    return ["--tls-cert", str(cert), "--tls-key", str(key)]


def _no_password() -> str:
    raise ValueError("the key has a password")
