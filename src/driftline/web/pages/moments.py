"""Times as people type them into forms: in their own zone where they say none."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from driftline.core.errors import InputError


def moment(text: str, zone: ZoneInfo) -> datetime:
    """An instant in UTC from an ISO 8601 text; one without a zone is of the reader's.

    Raises :class:`InputError` for what is no time.

    >>> moment("2026-11-22T10:00", ZoneInfo("Europe/Berlin")).isoformat()
    '2026-11-22T09:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return (found.replace(tzinfo=zone) if found.tzinfo is None else found).astimezone(UTC)
    except (ValueError, OverflowError):
        hint = f"write it as 2026-11-22T10:00; without a zone it is in {zone.key}"
        raise InputError(f"{text[:80]!r} is not a time", hint=hint) from None
