"""Where a notification may go, and how to name that place without giving its secrets away."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from driftline.alerting import services
from driftline.core.errors import InputError

LOG = "log"
COMMAND, CALL = "command:", "call:"
"""What targets begin with that name an entry of the operator's file ``actions.toml``."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PIECES = re.compile(r"[/?&=#:@]")


def check_target(target: str) -> str:
    """A target that can be told. Raises :class:`InputError` otherwise.

    ``log``, an http(s) URL with a host, ``command:NAME``, ``call:NAME``, or a URL of a kind that apprise knows.
    """
    if target == LOG or named(target) or services.known(target):
        return target
    parts = _split(target)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or not target.isprintable():
        kind = "text that is no URL" if parts is None else f"a target of kind {parts.scheme[:20] or 'none'!r}"
        hint = "write 'log', https://host/path, command:NAME or call:NAME"
        hint += "" if services.installed() else "; for Slack, e-mail and others: pip install 'driftline[notify]'"
        raise InputError(
            "a notification can only go to 'log', an http or https URL, an action of actions.toml or a URL of apprise",
            evidence=f"{kind}, {len(target)} characters",
            hint=hint,
        )
    return target


def named(target: str) -> bool:
    """Whether a target names an entry of ``actions.toml``.

    >>> named("command:retrain"), named("command:rm -rf /"), named("log")
    (True, False, False)
    """
    kind, _, name = target.partition(":")
    return f"{kind}:" in (COMMAND, CALL) and _NAME.fullmatch(name) is not None


def mask(target: str) -> str:
    """A target as it may be logged: scheme, host and port. User, path and query often are the secret itself.

    What is after the scheme of other services' URLs may be a secret from its first letter.

    >>> mask("https://user:pw@hooks.example.com:8443/services/T0/B1/xyz?token=s")
    'https://hooks.example.com:8443/…'
    >>> mask("slack://token/of/mine"), mask("log"), mask("command:retrain")
    ('slack://…', 'log', 'command:retrain')
    """
    if target == LOG or named(target):
        return target
    parts = _split(target)
    if parts is not None and parts.scheme not in ("http", "https"):
        return f"{parts.scheme}://…" if parts.scheme else "…"
    if parts is None or not parts.hostname:
        return "…"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    rest = "" if parts.path in ("", "/") and not parts.query and not parts.fragment else "/…"
    return f"{parts.scheme}://{host}{port}{rest}"


def scrub(text: str, target: str) -> str:
    """A message about a target without any part of the target that may be secret."""
    parts = _split(target)
    if target == LOG or named(target) or parts is None:
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
