"""The lines of logs as events. All lines of a log have one time, that of its job, as files do not tell theirs."""

from __future__ import annotations

import re
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.logs import groups
from driftline.aws.logs.groups import group_of, log_of_stream, stream_of, wrong
from driftline.aws.logs.patterns import Matches, pattern_of
from driftline.aws.logs.streams import millis
from driftline.aws.paging import place, token_of
from driftline.service.job_logs import MOST_LINES, JobLog, Line, lines_before, lines_from

_TOKEN = re.compile(r"([fb])/([0-9]{56})/s")
_BITS = 40
"""A token of several streams is the number of the stream, and in so many bits the place in it."""
_LOOKS = 8
"""How many parts of logs one request reads at most."""
_LONGEST = 256 * 1024
_INVALID = "The specified nextToken is invalid."


def get_log_events(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A part of a stream. Its tokens lead on and back; at an end the token stays the same."""
    group = group_of(given)
    groups.check(context, group)
    log = log_of_stream(context, group, given["logStreamName"])
    owner = groups.owner_of(context, log)
    most = given.get("limit") or MOST_LINES
    forward, at = _asked(given)
    lines = lines_from(log, at or 0, most) if forward else lines_before(log, at, most)
    first, last = (lines[0].start, lines[-1].end) if lines else (at or 0, at or 0)
    return {
        "events": [_event(owner, log, line) for line in lines] if _within(log, given) else [],
        "nextForwardToken": f"f/{last:056}/s",
        "nextBackwardToken": f"b/{first:056}/s",
    }


def _asked(given: dict[str, Any]) -> tuple[bool, int | None]:
    """Whether to read forward, and from where; None is the end that the direction begins at."""
    token = given.get("nextToken")
    if token is None:
        return bool(given.get("startFromHead")), None
    found = _TOKEN.fullmatch(token)
    if found is None or int(found[2]) >= 1 << 62:
        raise wrong(_INVALID)
    return found[1] == "f", int(found[2])


def _within(log: JobLog, given: dict[str, Any]) -> bool:
    time = millis(log.started)
    return bool(given.get("startTime", time) <= time < given.get("endTime", time + 1))


def _event(owner: str, log: JobLog, line: Line) -> dict[str, Any]:
    """A line as an event; the first one of a stream says first whose it is."""
    time = millis(log.started)
    text = line.text if line.start else f"{owner}{line.text}"
    # No event may be empty.
    return {"timestamp": time, "message": text[:_LONGEST] or " ", "ingestionTime": time}


def filter_log_events(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The lines of a group's streams that match a pattern, stream after stream."""
    group = group_of(given)
    groups.check(context, group)
    logs = [log for log in _streams(context, group, given) if _within(log, given)]
    matches, most = pattern_of(given.get("filterPattern", "")), given.get("limit") or MOST_LINES
    at = place(given.get("nextToken"), wrong(_INVALID))
    events: list[dict[str, Any]] = []
    for _ in range(_LOOKS):
        number, start = at >> _BITS, at & ((1 << _BITS) - 1)
        if number >= len(logs) or len(events) >= most:
            break
        owner = groups.owner_of(context, logs[number])
        found, end = _matching(owner, logs[number], start, most - len(events), matches)
        events += found
        at = (number + 1) << _BITS if end == start else (number << _BITS) + end
    more = at >> _BITS < len(logs)
    return {"events": events, "searchedLogStreams": [], **({"nextToken": token_of(at)} if more else {})}


def _matching(owner: str, log: JobLog, start: int, most: int, matches: Matches) -> tuple[list[dict[str, Any]], int]:
    """The matching lines of a part of a log, at most so many, and where it ends: at ``start`` when nothing is left."""
    found: list[dict[str, Any]] = []
    for line in lines_from(log, start):
        if len(found) == most:
            break
        start = line.end
        if matches(line.text):
            found.append(_event(owner, log, line) | {"logStreamName": stream_of(log), "eventId": f"{line.start:056}"})
    return found, start


def _streams(context: Context, group: str, given: dict[str, Any]) -> list[JobLog]:
    names, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix", "")
    if names and prefix:
        raise wrong("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
    if names:
        return [log_of_stream(context, group, name) for name in names]
    return [log for log in groups.logs(context, group, prefix) if stream_of(log).startswith(prefix)]


OPERATIONS: Operations = {"GetLogEvents": get_log_events, "FilterLogEvents": filter_log_events}
