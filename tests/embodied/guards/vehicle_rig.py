"""Rig for a vehicle guard: steps it together with a vehicle that follows every command."""

from __future__ import annotations

from collections.abc import Sequence

from embodied import Stamped, Time
from embodied.guards import VehicleGuard
from embodied.guards.vehicle import VehicleGuardOutput
from embodied.messages import Battery, Reset, Stop, VehicleCommand, VehicleState
from tests.embodied.guards.vehicle_states import driving

PERIOD = 0.02


class Rig:
    """Steps a guard together with a vehicle that follows every command."""

    def __init__(self, *, wired: Sequence[str] = (), **about: object) -> None:
        self.guard = VehicleGuard(0.6, **about)  # type: ignore[arg-type]
        self.guard.wired = frozenset(wired)
        self.guard.open()
        self.state: VehicleState | None = driving()
        self.n = 0

    def step(
        self,
        command: VehicleCommand | None = None,
        *,
        operator: VehicleCommand | None = None,
        charge: float | None = 1.0,
        stop: Sequence[str] = (),
        reset: bool = False,
        state: VehicleState | None = None,
    ) -> VehicleGuardOutput:
        now = Time(self.n * 20_000_000)
        self.n += 1
        given = self.guard.step(
            command=None if command is None else Stamped(command, now, self.n, "policy.command"),
            operator=None if operator is None else Stamped(operator, now, self.n, "wheel.command"),
            state=self.state if state is None else state,
            battery=None if charge is None else Battery(voltage=48.0, charge=charge, acquired=now),
            stop=[Stop(reason=reason) for reason in stop],
            reset=[Stamped(Reset(by="a person"), now, self.n, "panel.reset")] if reset else [],
            now=now,
        )
        told = given.command
        if told is not None and told.acceleration is not None and self.state is not None and state is None:
            step = told.acceleration * PERIOD
            speed = self.state.speed + min(max(told.speed - self.state.speed, -step), step)
            self.state = driving(speed, told.steering, gear=told.gear)
        return given

    def many(self, count: int, command: VehicleCommand | None = None, **more: object) -> VehicleGuardOutput:
        for _ in range(count):
            given = self.step(command, **more)  # type: ignore[arg-type]
        return given


def go(speed: float, steering: float = 0.0, acceleration: float | None = None, gear: str = "D") -> VehicleCommand:
    return VehicleCommand(speed=speed, acceleration=acceleration, steering=steering, gear=gear)


def halt(steering: float = 0.0, gear: str = "D") -> VehicleCommand:
    return VehicleCommand(speed=0.0, acceleration=2.0, steering=steering, gear=gear)
