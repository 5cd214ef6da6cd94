"""Which value of a facet in one analysis is which in another."""

from __future__ import annotations

import re

from driftline.core.bias_analysis import FacetBias

_NUMBER = r"-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf(?:inity)?|nan)"
_INTERVAL = re.compile(rf"([(\[]\s*{_NUMBER}\s*),\s*{_NUMBER}\s*[)\]]", re.IGNORECASE)

PartKey = tuple[str, str, str]


def part_key(part: FacetBias) -> PartKey:
    """What a part of one analysis is found by in another: its stage, its facet, and its value.

    Of an interval only the lower end counts: the upper end is the largest number of the column, which is another one
    in other data.

    >>> part_key(FacetBias("pre_training", "age", "(50.0, 89.0]", ()))
    ('pre_training', 'age', '(50.0')
    >>> part_key(FacetBias("pre_training", "sex", "f", ()))
    ('pre_training', 'sex', 'f')
    """
    interval = _INTERVAL.fullmatch(part.value_or_threshold.strip())
    return part.stage, part.facet, part.value_or_threshold if interval is None else interval.group(1).replace(" ", "")
