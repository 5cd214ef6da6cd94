"""What a form of an alarm asks for: its fields as an alarm to put, and that in other ways. Pure."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from driftline.core.errors import InputError
from driftline.resources.alarms import AlarmStatus, Band, MissingData, NewAlarm, Operator, Season, Statistic
from driftline.web.pages.forms import reading
from driftline.web.pages.forms.equivalents import Code, Equivalent, arguments, command, python
from driftline.web.pages.forms.reading import Typed

DEFAULTS = {
    "name": "",
    "endpoint": "",
    "schedule": "",
    "metric": "",
    "operator": "LessThanThreshold",
    "statistic": "Average",
    "period": "3600",
    "datapoints_to_alarm": "1",
    "evaluation_periods": "1",
    "treat_missing": "missing",
    "alarm_actions": "log",
    "band_history": "100",
    "band_least": "20",
    "band_season": "none",
}
ACTIONS = {
    "alarm_actions": "--on-alarm",
    "ok_actions": "--on-ok",
    "insufficient_data_actions": "--on-insufficient-data",
}
_WORDS = {"operator": Operator, "statistic": Statistic, "treat_missing": MissingData}
_WHOLE = ("period", "datapoints_to_alarm", "evaluation_periods")
_BAND_DEFAULT = Band()


def wanted(typed: Typed) -> NewAlarm:
    """The alarm that a form asks for; raises :class:`InputError` for a field that cannot be read."""
    given: dict[str, Any] = {field: tuple(reading.lines(typed, field)) for field in ACTIONS}
    rule = reading.text(typed, "rule")
    if rule:
        _alone(typed)
        return NewAlarm(rule=rule, **given)
    given |= {field: _word(typed, field, kind) for field, kind in _WORDS.items()}
    given |= {field: reading.whole(typed, field) for field in _WHOLE}
    run = {field: reading.text(typed, field) or None for field in ("endpoint", "schedule")}
    kept = {field: value for field, value in (given | run).items() if value is not None}
    return NewAlarm(
        metric=reading.needed(typed, "metric"),
        threshold=reading.number(typed, "threshold"),
        namespace=reading.text(typed, "namespace") or None,
        dimensions=_dimensions(typed, run),
        band=_band(typed),
        **kept,
    )


def typed_of(status: AlarmStatus, namespace: str) -> dict[str, str]:
    """What is in the fields of the form that edits an alarm; ``namespace`` is empty where it is the usual one."""
    alarm = status.definition
    found = {field: "\n".join(getattr(alarm, field)) for field in ACTIONS}
    found |= {"name": status.name, "editing": status.name, "rule": alarm.rule or ""}
    if alarm.rule is not None:
        return found
    found |= {field: str(getattr(alarm, field)) for field in ("metric", *_WORDS, *_WHOLE)}
    further = [f"{key}={value}" for key, value in alarm.dimensions.items() if key not in _RUN.values()]
    found |= {field: alarm.dimensions.get(key, "") for field, key in _RUN.items()} | {"dimensions": "\n".join(further)}
    found |= {"namespace": namespace, "threshold": "" if alarm.threshold is None else repr(alarm.threshold)}
    if alarm.band is not None:
        band = {f"band_{field}": str(value) for field, value in msgspec.structs.asdict(alarm.band).items()}
        found |= band | {"band": band.pop("band_width")}
    return found


def equivalent(typed: Typed) -> Equivalent:
    """The alarm as a command and as Python."""
    name, asked = reading.needed(typed, "name"), wanted(typed)
    note = ""
    if asked.namespace is not None:
        note = "The command has no option for a namespace: it is that of the schedule's monitor."
    if any("…" in target for field in ACTIONS for target in getattr(asked, field)):
        note = f"{note} Addresses are shown without their secrets: write them out.".strip()
    return Equivalent(command(["alarm", "put"], name, _options(asked)), _python(name, asked), note)


_RUN = {"endpoint": "Endpoint", "schedule": "MonitoringSchedule"}


def _options(asked: NewAlarm) -> dict[str, object]:
    changed = _changed(asked)
    options: dict[str, object] = {
        f"--{field.replace('_', '-')}": value
        for field, value in changed.items()
        if field not in ("band", "namespace", "dimensions", *ACTIONS)
    }
    if asked.band is not None:
        options |= {"--band": asked.band.width}
        band, default = msgspec.structs.asdict(asked.band), msgspec.structs.asdict(_BAND_DEFAULT)
        options |= {
            f"--band-{field}": value for field, value in band.items() if field != "width" and value != default[field]
        }
    if asked.dimensions is not None:
        further = {key: value for key, value in asked.dimensions.items() if key not in _RUN.values()}
        options |= {"--dimension": tuple(f"{key}={value}" for key, value in further.items())}
    return options | {option: getattr(asked, field) for field, option in ACTIONS.items()}


def _python(name: str, asked: NewAlarm) -> str:
    given = ", ".join(arguments(_changed(asked)))
    names = "Band, Client, NewAlarm" if asked.band is not None else "Client, NewAlarm"
    alarm = Code(f"NewAlarm({given})")
    return python("put_alarm", name, {"alarm": alarm}, imports=[f"from driftline import {names}"])


def _changed(asked: NewAlarm) -> dict[str, Any]:
    """The fields that are not what they are by default."""
    default = NewAlarm()
    fields = ((field, getattr(asked, field)) for field in NewAlarm.__struct_fields__)
    return {field: value for field, value in fields if value != getattr(default, field)}


def _word(typed: Typed, field: str, kind: Any) -> str | None:
    found = reading.text(typed, field)
    if found and found not in get_args(kind):
        label = field.replace("_", " ")
        raise InputError(f"{found[:60]!r} cannot be the {label}", hint="use one of " + ", ".join(get_args(kind)))
    return found or None


def _band(typed: Typed) -> Band | None:
    width = reading.number(typed, "band")
    if width is None:
        return None
    history, least = reading.whole(typed, "band_history"), reading.whole(typed, "band_least")
    season: Any = _word(typed, "band_season", Season) or "none"
    return Band(
        width,
        _BAND_DEFAULT.history if history is None else history,
        _BAND_DEFAULT.least if least is None else least,
        season,
    )


def _dimensions(typed: Typed, run: dict[str, str | None]) -> dict[str, str] | None:
    """All dimensions, where some are given beside endpoint and schedule."""
    further = reading.pairs(typed, "dimensions")
    if not further:
        return None
    return {_RUN[field]: value for field, value in run.items() if value is not None} | further


def _alone(typed: Typed) -> None:
    """A rule leaves no room for a metric and its limits."""
    beside = [field for field in ("metric", "threshold", "band") if reading.text(typed, field)]
    if beside:
        raise InputError(
            f"an alarm with a rule has no {' and no '.join(beside)}",
            hint="empty those fields, or the rule",
        )
