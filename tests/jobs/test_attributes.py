"""What a schedule's attributes say of the output, as JSON holds them."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.core.errors import InputError
from driftline.engine.attributes import OutputAttributes
from driftline.jobs.attributes import output_attributes

GIVEN: list[tuple[dict[str, Any], OutputAttributes]] = [
    ({"probability_attribute": 0}, OutputAttributes("0")),
    ({"probability_attribute": "p", "probability_threshold": "0.8"}, OutputAttributes("p", 0.8)),
    ({"inference_attribute": 1, "minimum_sample": 5, "other": {}}, OutputAttributes(inference="1")),
    ({"probability_attribute": [0, 2], "classes": ["a", "b"]}, OutputAttributes("0,2", classes=("a", "b"))),
    (
        {"probability_attribute": ["0-1", 3], "classes": [1, 2.5, True]},
        OutputAttributes("0-1,3", classes=("1", "2.5", "true")),
    ),
    ({"probability_attribute": "p[*].v", "classes": ["a", "b"]}, OutputAttributes("p[*].v", classes=("a", "b"))),
]
WRONG: list[dict[str, Any]] = [
    {},
    {"probability_attribute": {}},
    {"probability_attribute": "p", "classes": "a,b"},
    {"probability_attribute": "p", "classes": [["a"]]},
    {"probability_attribute": [0, 1], "classes": ["a", "b", "c"]},
    {"probability_attribute": "a["},
]


@pytest.mark.parametrize(("given", "wanted"), GIVEN)
def test_attributes_are_read(given: dict[str, Any], wanted: OutputAttributes) -> None:
    assert output_attributes(given) == wanted


@pytest.mark.parametrize("given", WRONG)
def test_attributes_that_point_nowhere_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        output_attributes(given)
    assert error.value.hint
