"""Simple cron expressions in words."""

from __future__ import annotations

import re

from driftline.core.cron import Cron

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def in_words(expression: str) -> str:
    """When a schedule runs, in words; empty for an expression that is no simple one.

    >>> in_words("0 * * * *"), in_words("cron(15 6 ? * 2 *)"), in_words("*/10 * * * *")
    ('every hour on the hour', 'every Monday at 06:15 UTC', 'every 10 minutes')
    >>> in_words("0 8 1,15 * *")
    ''
    """
    cron = Cron(expression)
    if cron.once:
        return "once"
    minute, hour, day, month, weekday = cron.fields or ("",) * 5
    if month != "*" or not (day == "*" or weekday == "*"):
        return ""
    if (hour, day, weekday) == ("*", "*", "*"):
        return _within_hours(minute)
    if not minute.isdigit():
        return ""
    return _within_days(int(minute), hour, weekday) if day == "*" else _of_months(int(minute), hour, day)


def _within_hours(minute: str) -> str:
    if minute.isdigit():
        return "every hour on the hour" if int(minute) == 0 else f"every hour at {int(minute)} minutes past"
    step = re.fullmatch(r"(?:\*|0-59)/(\d+)", minute)
    if minute == "*" or (step and step[1] == "1"):
        return "every minute"
    return f"every {step[1]} minutes" if step and 60 % int(step[1]) == 0 else ""


def _within_days(minute: int, hour: str, weekday: str) -> str:
    step = re.fullmatch(r"(?:\*|0-23)/(\d+)", hour)
    if step and weekday == "*" and 24 % int(step[1]) == 0:
        return f"every {step[1]} hours, at {minute:02d} minutes past"
    if not hour.isdigit() or not (weekday == "*" or re.fullmatch("[0-7]", weekday)):
        return ""
    name = "day" if weekday == "*" else _DAYS[int(weekday)]
    return f"every {name} at {int(hour):02d}:{minute:02d} UTC"


def _of_months(minute: int, hour: str, day: str) -> str:
    if not (hour.isdigit() and day.isdigit()):
        return ""
    return f"on day {int(day)} of every month at {int(hour):02d}:{minute:02d} UTC"
