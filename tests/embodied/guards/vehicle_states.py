"""States of a road vehicle, for tests of its guard."""

from __future__ import annotations

from embodied import Time
from embodied.messages import VehicleState


def driving(
    speed: float = 0.0,
    steering: float = 0.0,
    *,
    gear: str = "D",
    engaged: bool = True,
    overridden: bool = False,
    faults: tuple[str, ...] = (),
) -> VehicleState:
    return VehicleState(
        speed=speed,
        steering=steering,
        yaw_rate=0.0,
        gear=gear,
        engaged=engaged,
        overridden=overridden,
        faults=faults,
        acquired=Time(0),
    )
