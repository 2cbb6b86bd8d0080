"""Rig for a drone guard: steps it together with a drone that follows every command at once; states of drones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from embodied import Stamped, Time
from embodied.bodies import WORLD
from embodied.guards import DroneGuard
from embodied.guards.drone import DroneGuardOutput
from embodied.messages import Battery, DroneCommand, DroneState, Reset, Stop

LOW, HIGH = (-5.0, -5.0, 0.0), (5.0, 5.0, 6.0)


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


class Rig:
    """Steps a guard; inputs that are left out are silent, and `wired` names those that are wired."""

    def __init__(self, *, wired: Sequence[str] = (), **about: object) -> None:
        self.guard = DroneGuard(LOW, HIGH, **about)  # type: ignore[arg-type]
        self.guard.wired = frozenset(wired)
        self.guard.open()
        self.state: DroneState | None = flying()
        self.n = 0

    def step(
        self,
        command: DroneCommand | None = None,
        *,
        operator: DroneCommand | None = None,
        charge: float | None = 1.0,
        stop: Sequence[str] = (),
        reset: bool = False,
        state: DroneState | None = None,
    ) -> DroneGuardOutput:
        now = Time(self.n * 20_000_000)
        self.n += 1
        given = self.guard.step(
            command=None if command is None else Stamped(command, now, self.n, "policy.command"),
            operator=None if operator is None else Stamped(operator, now, self.n, "sticks.command"),
            state=self.state if state is None else state,
            battery=None if charge is None else Battery(voltage=15.0, charge=charge, acquired=now),
            stop=[Stop(reason=reason) for reason in stop],
            reset=[Stamped(Reset(by="a person"), now, self.n, "panel.reset")] if reset else [],
            now=now,
        )
        moved = given.command
        if moved is not None and moved.position is not None and moved.velocity is not None and state is None:
            x, y, z = moved.position.tolist()
            vx, vy, vz = moved.velocity.tolist()
            self.state = flying((x, y, z), (vx, vy, vz))
        return given

    def many(self, count: int, command: DroneCommand | None = None, **more: object) -> DroneGuardOutput:
        for _ in range(count):
            given = self.step(command, **more)  # type: ignore[arg-type]
        return given
