"""Where a notification may go, and how to name that place without giving its secrets away."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from driftline.core.errors import InputError

LOG = "log"
_PIECES = re.compile(r"[/?&=#:@]")


def check_target(target: str) -> str:
    """A target that can be told: ``log``, or an http(s) URL with a host. Raises :class:`InputError` otherwise."""
    if target == LOG:
        return target
    parts = _split(target)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or not target.isprintable():
        kind = "text that is no URL" if parts is None else f"a target of kind {parts.scheme[:20] or 'none'!r}"
        raise InputError(
            "a notification can only go to 'log' or to an http or https URL",
            evidence=f"{kind}, {len(target)} characters",
            hint="write 'log' or https://host/path",
        )
    return target


def mask(target: str) -> str:
    """A target as it may be logged: scheme, host and port. User, path and query often are the secret itself.

    >>> mask("https://user:pw@hooks.example.com:8443/services/T0/B1/xyz?token=s")
    'https://hooks.example.com:8443/…'
    >>> mask("log")
    'log'
    """
    if target == LOG:
        return target
    parts = _split(target)
    if parts is None or not parts.hostname:
        return "…"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    rest = "" if parts.path in ("", "/") and not parts.query and not parts.fragment else "/…"
    return f"{parts.scheme}://{host}{port}{rest}"


def scrub(text: str, target: str) -> str:
    """A message about a target without any part of the target that may be secret."""
    parts = _split(target)
    if target == LOG or parts is None:
        return text
    rest = target.replace(f"//{parts.hostname}", "//", 1)
    secrets = {target, parts.path, parts.query, parts.username or "", parts.password or "", *_PIECES.split(rest)}
    secrets -= {parts.scheme, parts.hostname or "", str(parts.port)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, "…")
    return text


def _split(target: str) -> SplitResult | None:
    try:
        parts = urlsplit(target)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    return parts
