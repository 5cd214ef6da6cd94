"""One try to tell one target: a log line, a webhook, a service of apprise, an operator's command or call."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

import httpx
import msgspec

from driftline.alerting import services
from driftline.alerting.actions import Call, Command, read_actions
from driftline.alerting.commands import run_command
from driftline.alerting.targets import LOG, mask, named, scrub
from driftline.core.errors import DriftlineError

logger = logging.getLogger("driftline.alerting")
_PASSING = frozenset({408, 425, 429})
_FIELD = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Refused(Exception):
    """A try that did not succeed; ``final`` when another would not either."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


def send(client: httpx.Client, target: str, body: dict[str, Any], key: str, folder: Path | None = None) -> str | None:
    """Tell a target; what it answered, where that is worth keeping. Raises :class:`Refused`.

    ``key`` is the idempotency key, ``folder`` the data folder with the operator's actions.
    """
    if target == LOG:
        logger.warning("alarm %s: %s -> %s: %s", body["alarm"], body["from"], body["to"], body["reason"])
        return None
    if named(target):
        return _act(client, target, body, key, folder)
    if target.startswith(("http://", "https://")):
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        _request(client, "POST", target, headers=headers, content=msgspec.json.encode(body))
    else:
        _tell(target, body)
    return None


def _tell(target: str, body: dict[str, Any]) -> None:
    if not services.installed():
        raise Refused("apprise is not installed: pip install 'driftline[notify]'", final=False)
    title, _, text = str(body["text"]).partition("\n")
    try:
        accepted = services.tell(target, title, text or title, body["to"] == "ALARM")
    except Exception as error:
        # A plugin's own failure; what it says may hold the address.
        raise Refused(f"{mask(target)} failed: {type(error).__name__}", final=False) from None
    if not accepted:
        raise Refused(f"{mask(target)} did not accept the message", final=False)


def _act(client: httpx.Client, target: str, body: dict[str, Any], key: str, folder: Path | None) -> str:
    if folder is None:
        raise Refused("this sender has no data folder, and so no actions", final=False)
    try:
        action = read_actions(folder).find(target)
    except DriftlineError as error:
        raise Refused(error.what, final=False) from None
    if isinstance(action, Call):
        return _call(client, action, body, key)
    return _run(action, body, key, folder)


def _run(command: Command, body: dict[str, Any], key: str, folder: Path) -> str:
    good, said = run_command(command, msgspec.json.encode(body), folder, key)
    if not good:
        raise Refused(said, final=False)
    return said


def _call(client: httpx.Client, call: Call, body: dict[str, Any], key: str) -> str:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    headers |= {name: _FIELD.sub(_variable, value) for name, value in call.headers.items()}
    content = msgspec.json.encode(body) if call.body is None else _filled(call.body, body).encode()
    try:
        status = _request(client, call.method, call.url, headers=headers, content=content, timeout=call.timeout)
    except (UnicodeError, ValueError):
        # What could not be sent may be a secret, so it is not repeated.
        raise Refused("a header cannot be sent: it has characters beyond ASCII", final=True) from None
    return f"answered HTTP {status}"


def _variable(found: re.Match[str]) -> str:
    value = os.environ.get(found[1])
    if value is None:
        raise Refused(f"the service has no environment variable {found[1]}, which a header needs", final=False)
    return value


def _filled(template: str, body: dict[str, Any]) -> str:
    """A template with the message's fields; a text is escaped as within a JSON string, all else is JSON."""

    def field(found: re.Match[str]) -> str:
        value = body.get(found[1])
        said = msgspec.json.encode(value).decode()
        return said[1:-1] if isinstance(value, str) else said

    return _FIELD.sub(field, template)


def _request(client: httpx.Client, method: str, url: str, **options: Any) -> int:
    try:
        # Streaming, because only the status matters: a body of any size is not read.
        with client.stream(method, url, **options) as response:
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict) as error:
        final = isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol)
        message = scrub(f"{type(error).__name__}: {error}", url)
        for value in options["headers"].values():
            message = message.replace(value, "…") if len(value) > 3 else message
        raise Refused(message[:300], final=final) from None
    if not 200 <= status < 300:
        raise Refused(f"answered HTTP {status}", final=status < 500 and status not in _PASSING)
    return status
