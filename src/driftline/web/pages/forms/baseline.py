"""The form of a baseline: its two documents, pasted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync as in_thread
from litestar import MediaType, Response, get, post

from driftline.core.errors import ConflictError, DriftlineError
from driftline.service import Service
from driftline.service.dashboard.choices import baseline_exists
from driftline.web.api.signature import Given
from driftline.web.pages.forms import reading
from driftline.web.pages.forms.equivalents import Code, Equivalent, command, python
from driftline.web.pages.forms.reading import Typed
from driftline.web.pages.forms.showing import Form, FormView, form_page, form_sent
from driftline.web.pages.problems import problem_of
from driftline.web.pages.rendering import Raw, show
from driftline.web.pages.submitted import there, uploaded

_IMPORTS = ("import json", "from pathlib import Path", "", "from driftline import Client")
MOST_BYTES = 64 << 20
"""The largest form with a baseline's files."""
_DEFAULTS = {"name": "", "constraints": "", "statistics": ""}


def _equivalent(typed: Typed) -> Equivalent:
    name, with_statistics = reading.needed(typed, "name"), bool(reading.text(typed, "statistics"))
    files = {"constraints": "constraints.json", "statistics": "statistics.json" if with_statistics else None}
    read = {
        key: None if file is None else Code(f"json.loads(Path({file!r}).read_bytes())") for key, file in files.items()
    }
    shown = command(["baseline", "put"], name, {f"--{key}": file for key, file in files.items()})
    note = "Both read the documents from files of these names, in the folder where they are run."
    return Equivalent(shown, python("put_baseline", name, read, imports=_IMPORTS), note)


def _make(service: Service, typed: Typed) -> str:
    constraints = reading.needed(typed, "constraints").encode("utf-8", "replace")
    statistics = reading.text(typed, "statistics").encode("utf-8", "replace")
    return _keep(service, reading.needed(typed, "name"), constraints, statistics)


def _keep(service: Service, name: str, constraints: bytes, statistics: bytes) -> str:
    if baseline_exists(service, name):
        hint = "choose another name, or edit that baseline's constraints on its page"
        raise ConflictError(f"the baseline {name[:80]} exists", hint=hint)
    service.put_baseline(name, constraints, statistics or b"{}")
    return f"/baselines/{quote(name, safe='')}"


BASELINE = Form("new_baseline.html", _DEFAULTS, lambda service, typed: {}, _equivalent, _make, told=True)
"""The form."""


@get("/new/baseline", media_type=MediaType.HTML)
async def new_baseline(request: Raw, service: Given) -> Response[Any]:
    """The form of a baseline."""
    return await form_page(request, service, BASELINE)


@post("/new/baseline", media_type=MediaType.HTML, status_code=303)
async def put_baseline(request: Raw, service: Given) -> Response[Any]:
    """Keep a baseline."""
    return await form_sent(request, service, BASELINE)


@post("/new/baseline/files", media_type=MediaType.HTML, status_code=303, request_max_body_size=MOST_BYTES)
async def put_baseline_files(request: Raw, service: Given) -> Response[Any]:
    """Keep a baseline from its files."""
    given = await uploaded(request)
    typed = {"name": given.text("name")}
    constraints, statistics = given.file("constraints_file")[1], given.file("statistics_file")[1]
    try:
        path = await in_thread(lambda: _keep(service, reading.needed(typed, "name"), constraints, statistics))
    except DriftlineError as error:
        # What was in the files is theirs: only the name was typed.
        view = FormView({**_DEFAULTS, **typed}, {}, problem=problem_of(error))
        return show(request, BASELINE.template, view, status=400)
    return there(path)


HANDLERS = (
    new_baseline,
    put_baseline,
    put_baseline_files,
)
