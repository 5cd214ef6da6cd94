"""The entry point: runs a command and turns every error into a message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from driftline.cli.output import ERROR, OK, out
from driftline.core.errors import DriftlineError

# Typer ships its own copy of click or uses the installed one; either way this is the base of what it raises.
_ClickException: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def main() -> None:
    """Run the command line."""
    # Arrow's own allocators keep what they have freed: decoding captures took twice the memory, and no less time. Read
    # when Arrow is loaded, here or in a process that the command starts.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from driftline.cli.app import app

    _leave(app, sys.argv[1:2])
    sys.exit(run(app))


def _leave(app: typer.Typer, words: list[str]) -> None:
    """Leave the asked one of the commands: all would be built at every start, a sixth of its time."""
    groups = [group for group in app.registered_groups if [group.name] == words]
    commands = [command for command in app.registered_commands if [command.name] == words]
    if groups or commands:
        app.registered_groups, app.registered_commands = groups, commands


def run(app: typer.Typer) -> int:
    """The exit code of the command in ``sys.argv``."""
    out.json = False  # until the command says otherwise
    try:
        code = app(prog_name="driftline", standalone_mode=False)
    except DriftlineError as error:
        out.fail(error)
        return ERROR
    except _ClickException as error:
        error.show()
        return ERROR
    except (typer.Abort, KeyboardInterrupt):
        out.say("stopped")
        return ERROR
    except SystemExit as ending:
        # The framework's own ending, when whoever read a help text has gone.
        out.release()
        return ending.code if ending.code in {OK, ERROR} else ERROR
    except Exception as error:
        # Exit code 1 means "violated": a defect must never look like a verdict.
        out.defect(error)
        return ERROR
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
