"""Check of options and arguments that are numbers without a range of their own."""

from __future__ import annotations

import math

import typer


def finite(value: float | None) -> float | None:
    """Return the number of an option as it is, for use as a callback of typer.

    Raises:
        BadParameter: it is NaN or infinite.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"expected a finite number, got {value}")
    return value
