"""What the operator lets alarms do: commands and HTTP calls, by name, in ``actions.toml`` in the data folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from driftline.alerting.targets import CALL, COMMAND, named
from driftline.core.errors import InputError, NotFoundError
from driftline.resources.mutes import Action

FILE = "actions.toml"
MOST_SECONDS = 45.0
"""A command or call must end before the lease of a delivery does, which is a minute."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program with its arguments. ``environment`` names the variables that it may see beside a few harmless ones."""

    run: tuple[str, ...]
    timeout: float = 30.0
    environment: tuple[str, ...] = ()


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An HTTP request. ``${NAME}`` in a header is an environment variable; in the body a field of the message."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    body: str | None = None
    timeout: float = 10.0


class Actions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entries of the file, by name."""

    command: dict[str, Command] = {}
    call: dict[str, Call] = {}

    def find(self, target: str) -> Command | Call:
        """What a target names; :class:`NotFoundError` when the file has no such entry."""
        kind, _, name = target.partition(":")
        found: Command | Call | None = (self.command if f"{kind}:" == COMMAND else self.call).get(name)
        if found is None:
            hint = f"the operator of the service writes a section [{kind}.{name}] in {FILE} in the data folder"
            raise NotFoundError(f"there is no action {target}", hint=hint)
        return found

    def check(self, targets: Iterable[str]) -> None:
        """Raises :class:`NotFoundError` for a target that names what is not there."""
        for target in targets:
            if named(target):
                self.find(target)

    def listing(self) -> list[Action]:
        """Every entry as a target, without addresses, headers or arguments."""
        commands = [Action(COMMAND + name, f"runs {Path(entry.run[0]).name}") for name, entry in self.command.items()]
        calls = [Action(CALL + name, f"sends an HTTP {entry.method} request") for name, entry in self.call.items()]
        return sorted([*commands, *calls], key=lambda action: action.target)


def read_actions(folder: Path) -> Actions:
    """The actions of a data folder, none when it has no such file; :class:`InputError` for one that is wrong."""
    path = folder / FILE
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Actions)
    except FileNotFoundError:
        return Actions()
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _wrong(f"{type(error).__name__}: {error}") from None
    entries: list[tuple[str, Command | Call]] = [*found.command.items(), *found.call.items()]
    for name, entry in entries:
        _check(name, entry)
    return found


def _check(name: str, entry: Command | Call) -> None:
    if _NAME.fullmatch(name) is None:
        raise _wrong(f"{name[:80]!r} is no name of 1 to 63 letters, digits, '.', '_' and '-'")
    if not 0 < entry.timeout <= MOST_SECONDS:
        raise _wrong(f"the timeout of {name} is {entry.timeout}, not above 0 and at most {MOST_SECONDS:g} seconds")
    if isinstance(entry, Command) and not (entry.run and Path(entry.run[0]).is_absolute()):
        raise _wrong(f"run of {name} does not begin with the whole path of a program")
    if isinstance(entry, Call) and not entry.url.startswith(("http://", "https://")):
        raise _wrong(f"the url of {name} does not begin with http:// or https://")


def _wrong(seen: str) -> InputError:
    return InputError(f"{FILE} cannot be used", evidence=seen[:300], hint="see docs/alarms.md for how it is written")
