"""What people do about alarms on their pages: take note, keep quiet, try the actions, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync as in_thread
from litestar import MediaType, Response, get, post

from driftline.core.errors import DriftlineError, InputError
from driftline.core.window import parse_time
from driftline.resources.alarms import AlarmState
from driftline.resources.mutes import NewMute
from driftline.service import Service
from driftline.web.access import visitor
from driftline.web.api.signature import Given, Name
from driftline.web.pages.alarms import AlarmView, alarm_view, alarms_view
from driftline.web.pages.problems import problem_of
from driftline.web.pages.rendering import Raw, show
from driftline.web.pages.submitted import submitted, there

_HTML = MediaType.HTML
_TRIED: dict[str, AlarmState] = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}


@post("/alarms/{name:str}/acknowledge", media_type=_HTML, status_code=303)
async def acknowledge_alarm(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Take note of an alarm."""
    typed = await submitted(request)
    author = visitor.get().name

    def act() -> None:
        service.acknowledge_alarm(name, typed.get("note", ""), author)

    return await _done(request, service, name, typed, act)


@post("/alarms/{name:str}/mute", media_type=_HTML, status_code=303)
async def mute_alarm(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Keep quiet about an alarm for a time."""
    typed = await submitted(request)
    author = visitor.get().name

    def act() -> None:
        service.mute_alarms(_mute(typed, name, author))

    return await _done(request, service, name, typed, act)


@post("/mutes", media_type=_HTML, status_code=303)
async def mute_alarms(request: Raw, service: Given) -> Response[Any]:
    """Keep quiet about every alarm for a time."""
    typed = await submitted(request)
    author = visitor.get().name
    try:
        await in_thread(lambda: service.mute_alarms(_mute(typed, None, author)))
    except DriftlineError as error:
        problem = problem_of(error)
        view = await in_thread(lambda: alarms_view(service, problem=problem, typed=typed))
        return show(request, "alarms.html", view, status=400)
    return there("/alarms")


@post("/mutes/{identity:str}/end", media_type=_HTML, status_code=303)
async def end_mute(request: Raw, service: Given, identity: Name) -> Response[Any]:
    """Take a mute away."""
    typed = await submitted(request)
    await in_thread(service.end_mute, identity)
    return there(path_of(typed["alarm"]) if typed.get("alarm") else "/alarms")


@post("/alarms/{name:str}/test", media_type=_HTML, status_code=200)
async def try_alarm(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Send a message, marked as a test, to what an alarm tells when it enters a state; show what came of it."""
    typed = await submitted(request)

    def act() -> AlarmView:
        state = _TRIED.get(typed.get("state", "ALARM"))
        if state is None:
            raise InputError("this is no state of an alarm", evidence=typed["state"][:40], hint=", ".join(_TRIED))
        return alarm_view(service, name, tests=service.test_alarm(name, state))

    return show(request, "alarm.html", await in_thread(act))


@get("/alarms/{name:str}/delete", media_type=_HTML)
async def delete_alarm_page(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Ask whether an alarm is to be deleted."""
    return show(request, "alarm_delete.html", await in_thread(alarm_view, service, name))


@post("/alarms/{name:str}/delete", media_type=_HTML, status_code=303)
async def delete_alarm(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Delete an alarm."""
    await submitted(request)
    try:
        await in_thread(service.delete_alarm, name)
    except DriftlineError as error:
        problem = problem_of(error)
        view = await in_thread(lambda: alarm_view(service, name, problem=problem))
        return show(request, "alarm_delete.html", view, status=400)
    return there("/alarms")


def path_of(name: str) -> str:
    """The page of an alarm.

    >>> path_of("low f2")
    '/alarms/low%20f2'
    """
    return f"/alarms/{quote(name, safe='')}"


async def _done(
    request: Raw, service: Service, name: str, typed: dict[str, str], act: Callable[[], None]
) -> Response[Any]:
    """Do what a form asks and go back to the alarm; or show what is wrong, with what was typed."""
    try:
        await in_thread(act)
    except DriftlineError as error:
        problem = problem_of(error)
        view = await in_thread(lambda: alarm_view(service, name, problem=problem, typed=typed))
        return show(request, "alarm.html", view, status=400)
    return there(path_of(name))


def _mute(typed: dict[str, str], alarm: str | None, author: str) -> NewMute:
    """The mute that a form asks for: minutes, or a time at which it ends (UTC where no zone is said)."""
    minutes, end = typed.get("minutes", "").strip(), typed.get("end", "").strip()
    if end:
        return NewMute(typed.get("reason", ""), alarm, end=parse_time(end), author=author)
    try:
        return NewMute(typed.get("reason", ""), alarm, minutes=float(minutes), author=author)
    except ValueError:
        raise InputError(f"{minutes[:40]!r} is no number of minutes", hint="write a number such as 60") from None


HANDLERS = (
    acknowledge_alarm,
    mute_alarm,
    mute_alarms,
    end_mute,
    try_alarm,
    delete_alarm_page,
    delete_alarm,
)
