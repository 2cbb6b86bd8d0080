"""Time: integer nanoseconds, and the ticks of a rational rate.

Tick n of a rate is at ceil(n·10⁹/rate) nanoseconds, computed from n each time and never accumulated. With ceil, a world
that has made floor(t·rate/10⁹) steps by time t has made exactly n of them at tick n, so coinciding ticks never miss.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NewType

Time = NewType("Time", int)
"""Time on the graph's clock, from the start of the run [ns]."""

SECOND = 1_000_000_000
"""One second [ns]."""

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": SECOND, "min": 60 * SECOND}
_DURATION = re.compile(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*(ns|us|µs|ms|s|min)\s*")
_LONGEST = 10**9 * SECOND
_RATE = re.compile(r"\s*-?\d{1,15}(\.\d{1,15})?([eE][-+]?\d{1,2})?(/\d{1,15})?\s*")
_MAX_RATE = 100_000
_MIN_RATE = Fraction(1, 1_000_000)


def rate_of(value: object) -> Fraction:
    """Parse a rate [Hz] as an exact fraction.

    Args:
        value: a number, or text like `30`, `29.97`, `30000/1001`.

    Raises:
        ValueError: the value is not a finite number above 0 and up to 100 000 Hz.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        raise ValueError(f"expected a rate in Hz, such as 30 or '30000/1001', got {value!r}")
    try:
        # Through text, so that 0.1 is one tenth and not its nearest binary number; and never through a text such as
        # 1e999999999, whose fraction would not fit into any memory.
        if not isinstance(value, Fraction) and not _RATE.fullmatch(str(value)):
            raise ValueError
        rate = value if isinstance(value, Fraction) else Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"expected a rate in Hz, such as 30 or '30000/1001', got {str(value)[:40]!r}") from None
    if rate < 1 and isinstance(value, str) and "/" in value:
        # Written like a period: 1/30 would be one step in 30 s.
        raise ValueError(
            f"expected a rate in Hz, got {value!r}, one step in {float(1 / rate):g} s; for {float(1 / rate):g} steps a "
            f"second write {float(1 / rate):g}, for one in {float(1 / rate):g} s write {float(rate):.4g}"
        )
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise ValueError(f"expected a rate above 0 and up to {_MAX_RATE} Hz, got {value}")
    return rate


def tick(n: int, rate: Fraction) -> Time:
    """Return the time of tick n [ns]."""
    return Time(-((-n * SECOND * rate.denominator) // rate.numerator))


def ticks_by(t: int, rate: Fraction) -> int:
    """Return the number of whole periods of `rate` until `t` [ns]."""
    return t * rate.numerator // (SECOND * rate.denominator)


def period(rate: Fraction) -> int:
    """Return the period of a rate, rounded up to whole nanoseconds [ns]."""
    return tick(1, rate)


def duration(value: object) -> int:
    """Parse a duration to nanoseconds [ns].

    Args:
        value: text with a unit like `15ms`, `0.5s`, `2min`; or 0. A number without a unit would be ambiguous.

    Raises:
        ValueError: the value is neither, or negative, or not finite.
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None:
            raise ValueError(f"expected a duration with its unit, such as 15ms or 2s, got {value!r}")
        length = int(Fraction(match[1]) * _UNITS[match[2]])
        if length > _LONGEST:
            raise ValueError(f"expected a duration of less than 30 years, such as 15ms or 2s, got {value!r}")
        return length
    if value == 0 and not isinstance(value, bool):
        return 0
    raise ValueError(f"expected a duration with its unit, such as 15ms or 2s, got {value!r}")


def exact(ns: int) -> str:
    """Format a duration so that `duration` reads it back exactly: `1.25s`, `300ms`, `1234567ns`."""
    if ns >= SECOND:
        return f"{ns // SECOND}.{ns % SECOND:09d}".rstrip("0").rstrip(".") + "s"
    return f"{ns}ns" if ns % _UNITS["ms"] else f"{ns // _UNITS['ms']}ms"


def show(ns: int) -> str:
    """Format a duration of time for people: `15 ms`, `1.5 s`."""
    for unit, size in (("s", SECOND), ("ms", 1_000_000), ("µs", 1_000)):
        if ns >= size:
            return f"{ns / size:.4g} {unit}"
    return f"{ns} ns"
