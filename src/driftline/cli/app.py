"""The commands, put together."""

from __future__ import annotations

import typer

from driftline.cli import analysis

app = typer.Typer(
    name="driftline",
    help="Serve a model, capture what it does, join it with the truth, and judge it on a schedule.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(analysis.baseline, name="baseline")
app.add_typer(analysis.check, name="check")
