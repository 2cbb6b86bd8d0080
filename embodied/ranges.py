"""Ranges of numbers, and the one text for a value outside of them: `speed must be in (0, 3] m/s, got 4`.

A check of settings reads as a table, and NaN is in no range:

    yield from Range(50, 200, "Hz").problems(rate=rate_of(self.rate))
    yield from positive("m").problems(wheelbase=self.wheelbase, nose=self.nose)
    yield from at_least(0, "s").problems(lease=self.lease)
    yield from Range(0, 1, includes="[)").problems(reserve=self.reserve)

Where a single wrong value is an error: `positive("m").require(opening=opening)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Number = float | Fraction
"""A real number that a range can hold."""


@dataclass(frozen=True, slots=True)
class Range:
    """Range of numbers: an interval with a unit, and the text for a value outside.

    Attributes:
        low: lower bound; minus infinity for none.
        high: upper bound; infinity for none.
        unit: SI unit of both bounds, for messages.
        includes: whether each bound itself is inside, as intervals are written: `[]`, `[)`, `(]` or `()`. Infinity is
            never inside.
    """

    low: float
    high: float
    unit: str = ""
    includes: Literal["[]", "[)", "(]", "()"] = "[]"

    def __contains__(self, value: Number) -> bool:
        above = self.low <= value if self.includes[0] == "[" else self.low < value
        below = value <= self.high if self.includes[1] == "]" else value < self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if -self.low == self.high == math.inf:
            return "finite"
        if self.high == math.inf:
            return f"{'at least' if self.includes[0] == '[' else 'above'} {self.low:g}{unit} and finite"
        if self.low == -math.inf:
            return f"{'at most' if self.includes[1] == ']' else 'below'} {self.high:g}{unit} and finite"
        return f"in {self.includes[0]}{self.low:g}, {self.high:g}{self.includes[1]}{unit}"

    def problems(self, **values: Number) -> Iterator[str]:
        """Yield a sentence for each value outside the range.

        Args:
            values: by the name that the sentence gives them.
        """
        for name, value in values.items():
            if value not in self:
                yield f"{name} must be {self}, got {value}"

    def require(self, **values: Number) -> None:
        """Check that all values are in the range.

        Args:
            values: by the name that the message gives them.

        Raises:
            ValueError: a value is outside the range.
        """
        for problem in self.problems(**values):
            raise ValueError(problem)


FINITE = Range(-math.inf, math.inf)
"""Range of all numbers but NaN and infinity."""


def positive(unit: str = "") -> Range:
    """Return the range of finite numbers above 0.

    Args:
        unit: SI unit of the values.
    """
    return Range(0, math.inf, unit, "()")


def at_least(low: float, unit: str = "") -> Range:
    """Return the range of finite numbers from a bound upwards.

    Args:
        low: lower bound, itself inside.
        unit: SI unit of the values.
    """
    return Range(low, math.inf, unit, "[)")
