"""Ranges: bounds, the sentence for a value outside, and NaN."""

from __future__ import annotations

import math
import re

import pytest

from embodied.clock import rate_of
from embodied.ranges import FINITE, Range, at_least, positive


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        (Range(0, 1), (0, 0.5, 1), (-1e-9, 1.001, math.nan)),
        (Range(0, 1, includes="[)"), (0, 0.999), (1, math.nan)),
        (Range(0, 1, includes="(]"), (1e-9, 1), (0, 1.001)),
        (Range(0, 1, includes="()"), (0.5,), (0, 1)),
        (positive(), (1e-9, 1e300), (0, -1, math.inf, math.nan)),
        (at_least(2), (2, 1e300), (1.999, math.inf)),
        (FINITE, (0, -1e300), (math.inf, -math.inf, math.nan)),
        (Range(50, 200, "Hz"), (rate_of("30000/300"), rate_of(50)), (rate_of("29.97"),)),
    ],
)
def test_a_range_holds_its_numbers_and_never_nan(
    limits: Range, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert all(value in limits for value in inside)
    assert not any(value in limits for value in outside)


@pytest.mark.parametrize(
    ("limits", "value", "sentence"),
    [
        (Range(0, 3, "m/s", "(]"), 4, "speed must be in (0, 3] m/s, got 4"),
        (positive("m/s"), -4, "speed must be above 0 m/s and finite, got -4"),
        (at_least(0.5), 0.25, "speed must be at least 0.5 and finite, got 0.25"),
        (Range(-math.inf, 0, "m"), 4, "speed must be at most 0 m and finite, got 4"),
        (Range(-math.inf, 0, includes="()"), 0, "speed must be below 0 and finite, got 0"),
        (FINITE, math.nan, "speed must be finite, got nan"),
    ],
)
def test_the_sentence_names_the_value_its_range_and_what_came(limits: Range, value: float, sentence: str) -> None:
    assert list(limits.problems(speed=value)) == [sentence]
    with pytest.raises(ValueError, match=re.escape(sentence)):
        limits.require(speed=value)


def test_only_values_outside_have_a_sentence() -> None:
    assert list(positive("m").problems(length=1.0, width=0.0, height=-1)) == [
        "width must be above 0 m and finite, got 0.0",
        "height must be above 0 m and finite, got -1",
    ]
    at_least(0).require(length=0.0, width=1)
