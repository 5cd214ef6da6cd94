"""What is stored comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from driftline.core.plain_text import plain
from driftline.storage.types import Json, UtcTime, canonical, new_id

DIALECT = sqlite.dialect()
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]))


@given(MOMENTS)
def test_an_instant_survives_to_the_microsecond(moment: datetime) -> None:
    column = UtcTime()
    back = column.process_result_value(column.process_bind_param(moment, DIALECT), DIALECT)
    assert back == moment
    assert back is not None
    assert back.tzinfo is UTC


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(TypeError):
        UtcTime().process_bind_param(datetime(2026, 1, 1), DIALECT)  # noqa: DTZ001 - the mistake under test


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(-(2**60), 2**60), st.lists))
def test_json_survives(value: Any) -> None:
    column = Json()
    assert column.process_result_value(column.process_bind_param([value], DIALECT), DIALECT) == [value]


@given(st.dictionaries(st.text(), st.text()))
def test_equal_mappings_are_equal_text(mapping: dict[str, str]) -> None:
    assert canonical(mapping) == canonical(dict(reversed(mapping.items())))


def test_text_that_no_database_holds_is_made_plain() -> None:
    assert plain("a\x00b\ud800") == "a\\x00b\\ud800"


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(100)}) == 100
