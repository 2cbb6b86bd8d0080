"""Why a command is not sent, in one sentence; whatever is refused is refused whole."""

from __future__ import annotations

import math
from typing import NamedTuple

from drivers.can_ev.vehicle import GEARS
from embodied.messages import VehicleCommand


class Limits(NamedTuple):
    """The most that is sent: speed [m/s], angle of the front wheels [rad], acceleration [m/s²]."""

    speed: float
    steering: float
    acceleration: float


def refusal(command: VehicleCommand, limits: Limits) -> str:
    """Why a vehicle is not told a command; empty if it is."""
    acceleration = limits.acceleration if command.acceleration is None else command.acceleration
    asked = {"speed": command.speed, "steering": command.steering, "acceleration": acceleration}
    for (name, value), limit in zip(asked.items(), limits, strict=True):
        if not math.isfinite(value):
            return f"refused: {name} {value} is not finite"
        if abs(value) > limit:
            return f"refused: {name} {value:g} is beyond its limit of {limit:g}"
    if command.gear not in GEARS or len(command.gear) != 1:
        return f"refused: there is no gear '{command.gear}', only {', '.join(GEARS)}"
    low, high = {"D": (0.0, limits.speed), "R": (-limits.speed, 0.0)}.get(command.gear, (0.0, 0.0))
    if not low <= command.speed <= high:
        return f"refused: {command.speed:g} m/s in gear {command.gear}"
    return ""
