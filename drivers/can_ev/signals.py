"""Signals of a DBC as the codec needs them: the numbers that each can carry, and proof that it carries what is used."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from drivers.can_ev.units import UNITS

if TYPE_CHECKING:
    from cantools.database.can.signal import Signal

MAGNITUDE_MOST = 1e6
"""Magnitude that no quantity of a vehicle exceeds, in its SI unit."""

FLOAT_LENGTHS = (16, 32, 64)
"""Lengths of signals that are floating-point numbers [bit]."""

INTEGER_LENGTH_MOST = 64
"""Length that no signal of whole numbers exceeds [bit]."""


def bounds(signal: Signal) -> tuple[float, float]:
    """Return the range of a signal in the DBC's unit: what its bits can carry, and the DBC allows.

    The DBC's own bounds are taken half a step wider, since a DBC rounds them.
    """
    low, high = _capacity(signal)
    if (stated := _stated(signal)) is not None:
        half = abs(signal.scale) / 2
        low, high = max(low, stated[0] - half), min(high, stated[1] + half)
    return low, high


def count_bounds(signal: Signal) -> tuple[int, int]:
    """Return the first and the last value of a counter; one that runs from 1 to 10 states that as its range."""
    last = 2**signal.length - 1
    low, high = _stated(signal) or (0, last)
    return math.ceil(min(max(low, 0), last + 1)), math.floor(max(min(high, last), -1))


def encoding_problems(where: str, signal: Signal) -> Iterator[str]:
    """Check that numbers can be put into a signal and read from it at all.

    Args:
        where: message and signal, for the sentence.
        signal: signal of a DBC.

    Yields:
        a sentence for each problem.
    """
    if signal.is_float and signal.length not in FLOAT_LENGTHS:
        yield f"{where} is a floating-point number and must have 16, 32 or 64 bits, got {signal.length}"
    if not signal.is_float and not 1 <= signal.length <= INTEGER_LENGTH_MOST:
        yield f"{where} must have 1 to {INTEGER_LENGTH_MOST} bits, got {signal.length}"
    if not (math.isfinite(signal.scale) and math.isfinite(signal.offset) and signal.scale):
        yield f"{where} must have a factor other than 0 and a finite offset, got ({signal.scale:g},{signal.offset:g})"
    if signal.minimum is not None and signal.maximum is not None and signal.minimum > signal.maximum:
        yield f"{where} has a minimum above its maximum: [{signal.minimum:g}|{signal.maximum:g}]"


def counter_problems(where: str, signal: Signal) -> Iterator[str]:
    """Check that a signal counts; see `encoding_problems`."""
    low, high = count_bounds(signal)
    if not _plain(signal):
        yield f"{where} counts, and must be a plain unsigned number, with factor 1 and offset 0"
    elif high <= low:
        yield f"{where} must count at least two values, got [{low}|{high}]"


def checksum_problems(where: str, signal: Signal) -> Iterator[str]:
    """Check that a signal is a checksum of one byte; see `encoding_problems`."""
    first = 0 if signal.byte_order == "little_endian" else 7
    if signal.length != 8 or signal.start % 8 != first:
        yield f"{where} is not one whole byte"
    elif not _plain(signal):
        yield f"{where} is a checksum, and must be a plain unsigned number, with factor 1 and offset 0"


def quantity_problems(where: str, signal: Signal, quantity: str) -> Iterator[str]:
    """Check that a signal has a unit of its quantity; see `encoding_problems`."""
    unit = signal.unit or ""
    if unit not in UNITS[quantity]:
        units = ", ".join(repr(known) for known in UNITS[quantity])
        yield f"unit of {where}, {quantity}, must be one of {units}, got '{unit}'"


def number_problems(where: str, signal: Signal, values: Mapping[int, str]) -> Iterator[str]:
    """Check that a signal carries each whole number that is used, under its name; see `encoding_problems`.

    Args:
        where: message and signal, for the sentence.
        signal: signal of a DBC.
        values: numbers that are used, each with the ending of its label, empty for any.
    """
    if signal.is_float or abs(signal.scale) != 1 or signal.offset % 1:
        yield f"{where} must be a whole number, with factor 1 and a whole offset"
        return
    low, high = bounds(signal)
    if outside := [value for value in values if not low <= value <= high]:
        yield f"{where} must hold {min(values)} to {max(values)}, {outside[0]} is outside its range"
    for value, ending in values.items():
        label = "" if signal.choices is None else str(signal.choices.get(value, ""))
        # Labels are anybody's words; only one that means another number is wrong.
        other = any(_means(label, meant) for number, meant in values.items() if number != value)
        if other and not _means(label, ending):
            yield f"{where} must mean '{ending}' by {value}, got '{label}'"


def _means(label: str, ending: str) -> bool:
    words = label.upper().split("_")
    return bool(ending) and ending.upper() in ("_".join(words[index:]) for index in range(len(words)))


def _plain(signal: Signal) -> bool:
    return not signal.is_float and not signal.is_signed and (signal.scale, signal.offset) == (1, 0)


def _stated(signal: Signal) -> tuple[float, float] | None:
    # Public DBCs write [0|0] for bounds that nobody has found out; cantools then has none.
    if signal.minimum is None or signal.maximum is None or signal.minimum == signal.maximum:
        return None
    return float(signal.minimum), float(signal.maximum)


def _capacity(signal: Signal) -> tuple[float, float]:
    """Return the range of numbers that the bits of a signal can carry, in the DBC's unit."""
    if signal.is_float:
        most = {16: 65504.0, 32: 3.4028234e38}.get(signal.length, 1.7976931348623157e308)
        raw = (-most, most)
    elif signal.is_signed:
        raw = (-(2.0 ** (signal.length - 1)), 2.0 ** (signal.length - 1) - 1)
    else:
        raw = (0.0, 2.0**signal.length - 1)
    low, high = sorted(value * signal.scale + signal.offset for value in raw)
    # A number of the last step rounds to that step.
    nearly = 0.0 if signal.is_float else abs(signal.scale) * 0.49
    return low - nearly, high + nearly
