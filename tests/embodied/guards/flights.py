"""States of a multirotor, for the guards."""

from __future__ import annotations

import math

import numpy as np

from embodied import Time
from embodied.bodies import WORLD
from embodied.messages import DroneState


def flying(
    position: tuple[float, float, float] = (0.0, 0.0, 2.0),
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0),
    armed: bool = True,
    landed: bool = False,
    orientation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0),
) -> DroneState:
    return DroneState(
        position=np.array(position),
        orientation=np.array(orientation),
        linear_velocity=np.array(velocity),
        angular_velocity=np.zeros(3),
        armed=armed,
        landed=landed,
        mode="",
        frame=WORLD,
        acquired=Time(0),
    )


def standing() -> DroneState:
    return flying((0.0, 0.0, 0.06), armed=False, landed=True)


def leaning(angle: float, axis: int = 0) -> DroneState:
    turn = [0.0, 0.0, 0.0, math.cos(angle / 2)]
    turn[axis] = math.sin(angle / 2)
    return flying(orientation=tuple(turn))
