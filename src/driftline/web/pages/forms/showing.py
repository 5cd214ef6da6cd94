"""How a form is shown, sent, and shown again with what was typed when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import Response

from driftline.core.errors import DriftlineError
from driftline.service import Service
from driftline.web.pages.forms.equivalents import Equivalent
from driftline.web.pages.forms.reading import Typed
from driftline.web.pages.problems import Problem, problem_of
from driftline.web.pages.rendering import Raw, show
from driftline.web.pages.submitted import submitted, there

MOST_TYPED = 200_000
"""Characters of a field that are shown again."""


class FormView(msgspec.Struct, frozen=True):
    """A form: what is in its fields, what they offer, the same wish in other ways, and what is wrong with it."""

    typed: Mapping[str, str]
    choices: Mapping[str, list[str]]
    equivalent: Equivalent | None = None
    problem: Problem | None = None
    ticks: list[datetime] = []


class Form(NamedTuple):
    """A kind of form: its template, what is in its fields at first, and what to do with what is typed."""

    template: str
    defaults: Mapping[str, str]
    choices: Callable[[Service, Typed], Mapping[str, list[str]]]
    equivalent: Callable[[Typed], Equivalent]
    make: Callable[[Service, Typed], str]
    """Makes the thing; the path of its page."""
    ticks: Callable[[Service, Typed], list[datetime]] = lambda service, typed: []
    prefill: Callable[[Service, Typed], Typed] = lambda service, typed: typed
    told: bool = False
    """Whether it is always told in other ways: a form whose fields are too long for a URL."""


async def form_page(request: Raw, service: Service, form: Form) -> Response[Any]:
    """A form with what the URL says in its fields; with ``show`` in the URL, told in other ways as well."""
    asked = {key: value[:MOST_TYPED] for key, value in request.query_params.items()}
    # The framework wraps a handler with ``sync_to_thread`` twice when its path has one of another method as well.
    view = await in_thread(lambda: _asked_view(service, form, asked))
    return show(request, form.template, view, status=200 if view.problem is None else 400)


async def form_sent(request: Raw, service: Service, form: Form) -> Response[Any]:
    """Make what a form asks for and go to its page; or show what is wrong, with what was typed."""
    typed = await submitted(request)
    typed.pop("csrf", None)
    try:
        path = await in_thread(lambda: form.make(service, typed))
    except DriftlineError as error:
        problem = problem_of(error)
        view = await in_thread(lambda: form_view(service, form, typed, problem))
        return show(request, form.template, view, status=400)
    return there(path)


def form_view(service: Service, form: Form, asked: Typed, problem: Problem | None = None) -> FormView:
    """A form as it is filled in, told in other ways where that can be."""
    typed = {**form.defaults, **asked}
    equivalent, ticks = None, list[datetime]()
    try:
        equivalent, ticks = form.equivalent(asked), form.ticks(service, asked)
    except DriftlineError as error:
        problem = problem or problem_of(error)
    return FormView(typed, form.choices(service, typed), equivalent, problem, ticks)


def _asked_view(service: Service, form: Form, asked: dict[str, str]) -> FormView:
    if asked.pop("show", ""):
        return form_view(service, form, asked)
    typed = {**form.defaults, **form.prefill(service, asked)}
    equivalent = form.equivalent({**typed, "name": typed["name"].strip() or "NAME"}) if form.told else None
    return FormView(typed, form.choices(service, typed), equivalent)
