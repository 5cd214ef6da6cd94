"""Lists in pages: sorted and filtered as every list operation of the service is."""

from __future__ import annotations

from typing import Any

from driftline.aws.errors import validation

_PAGE = 100
Row = dict[str, Any]


def page(rows: list[Row], given: dict[str, Any], *, member: str, columns: dict[str, str]) -> dict[str, Any]:
    """A page of ``rows``, which come newest first, as the answer's ``member``. ``columns`` say by which member of a
    row each SortBy sorts; the first one is what the service sorts by unless asked."""
    found = [row for row in rows if _within(row, given)]
    column = columns[given.get("SortBy") or next(iter(columns))]
    descending = given.get("SortOrder", "Descending") == "Descending"
    found = found if descending else found[::-1]
    found.sort(key=lambda row: row[column], reverse=descending)
    start = _start(given.get("NextToken"))
    end = start + (given.get("MaxResults") or _PAGE)
    answer: dict[str, Any] = {member: found[start:end]}
    return answer | ({"NextToken": str(end)} if end < len(found) else {})


def _within(row: Row, given: dict[str, Any]) -> bool:
    """Whether a row lies within the times that a request names, such as CreationTimeAfter."""
    for column in ("CreationTime", "LastModifiedTime", "ScheduledTime"):
        after, before = given.get(f"{column}After"), given.get(f"{column}Before")
        if (after is not None and row[column] <= after) or (before is not None and row[column] >= before):
            return False
    return True


def _start(token: str | None) -> int:
    if token is None:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise validation("NextToken is none that was given; leave it out to begin again")
    return int(token)
