"""The zone that times are shown in: a reader's choice, kept in a cookie; UTC without one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

COOKIE = "driftline_zone"
UTC = "UTC"
YEAR = 365 * 24 * 3600
"""For how long a choice is kept, in seconds."""


@cache
def known() -> frozenset[str]:
    """The names of all zones this machine knows."""
    return frozenset(available_timezones()) | {UTC}


def chosen(cookies: Mapping[str, str]) -> str:
    """The zone of a reader; UTC for a name that is none.

    >>> chosen({"driftline_zone": "Nowhere/Land"})
    'UTC'
    """
    name = cookies.get(COOKIE, UTC).replace("%2F", "/")
    return name if name in known() else UTC
