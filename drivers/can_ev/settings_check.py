"""Check of a vehicle's settings: law 7, all that the driver will need from its DBC is proven before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from drivers.can_ev.codec import Codec, OutOfRange
from drivers.can_ev.command_check import Limits
from drivers.can_ev.command_encoder import CommandEncoder
from drivers.can_ev.dbc import Unfit
from drivers.can_ev.vehicle import TIMEOUT
from drivers.can_ev.vehicles import VEHICLES
from embodied.errors import nearest
from embodied.ranges import Range

RATE_LEAST = 50.0
"""Least rate of the driver, so that two commands may be lost before the unit's time-out [Hz]."""


def problems(vehicle: str, dbc: Path | None, limits: Limits, rate: Fraction) -> Iterator[str]:
    """Yield a sentence for each problem of a vehicle's settings.

    Args:
        vehicle: name of the kind of vehicle.
        dbc: another DBC with its messages; None for its own.
        limits: limits of its commands.
        rate: rate of the driver [Hz].
    """
    if found := list(limits.problems()):
        yield from found
        return
    if vehicle not in VEHICLES:
        yield " ".join((f"there is no vehicle '{vehicle}';", *nearest(vehicle, VEHICLES)))
        return
    kind = VEHICLES[vehicle]
    reason = f", since the unit waits {TIMEOUT * 1e3:.0f} ms for a command"
    if kind.rate_most == RATE_LEAST:
        reason = f", since a {kind.title} takes a command every {1e3 / RATE_LEAST:.0f} ms"
    yield from (problem + reason for problem in Range(RATE_LEAST, kind.rate_most, "Hz").problems(rate=rate))
    if found := list(limits.problems_of(kind)):
        yield from found
        return
    try:
        CommandEncoder(Codec(kind, dbc)).check(limits)
    except Unfit as error:
        yield str(error)
    except OutOfRange as error:
        yield f"the limits do not fit into the messages: {error}"
