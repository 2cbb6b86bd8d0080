"""A shuttle in the simulated world, as a driver: a unit that follows orders like a drive-by-wire unit on a CAN bus."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver
from embodied.bodies import CarBody, Cars, CarSensors, car, lacks
from embodied.clock import rate_of
from embodied.devices.drive_by_wire import BRAKING, CHARGE_LEAST, LOW_BATTERY, SpeedControl, current, voltage
from embodied.messages import Battery, VehicleCommand, VehicleState
from embodied.world import World

BATTERY_RATE = 10.0
"""Reports of the battery per second [Hz]."""


class CarOutput(NamedTuple):
    """What it measures, its battery now and then, and what it is really doing of what it was told."""

    state: VehicleState
    battery: Battery | None
    applied: VehicleCommand | None


@dataclass
class SimCar(Driver):
    """The shuttle of the world; without a command it brakes to a stop, with its wheels where they are.

    It goes for `speed` with the magnitude of `acceleration`, or with `acceleration_limit` where there is none. Commands
    that are not finite, beyond the limits or at odds with their gear are refused whole. Gears change at rest, there is
    none to go backwards, and in P the brakes hold it. A low battery is a fault that lasts, and stops it.

    Attributes:
        car: which one of the world.
        speed_limit: the most [m/s].
        steering_limit: the largest angle of the front wheels at the road [rad].
        acceleration_limit: the most, either way [m/s²].
    """

    car: str = "car"
    speed_limit: float = 3.0
    steering_limit: float = 0.5
    acceleration_limit: float = 2.0

    rate = 50.0  # [Hz]

    def check(self) -> Iterable[str]:
        """Rate and limits make sense."""
        for name in ("speed_limit", "steering_limit", "acceleration_limit"):
            if not 0 < getattr(self, name) < math.inf:
                yield f"{name} is {getattr(self, name)}, and it is more than 0"
        if not 50 <= rate_of(self.rate) <= 200:
            yield f"rate = {self.rate} Hz; a drive-by-wire unit takes 50 to 200"

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has road vehicles."""
        return lacks(world, Cars)

    def open(self, world: World) -> None:
        """Find the car in the world.

        Raises:
            WorldFailed: there is none of that name.
        """
        self._body: CarBody = car(world, self.car)
        self._every = max(1, round(float(rate_of(self.rate)) / BATTERY_RATE))
        self._steps = 0
        self._control, self._wheels = SpeedControl(), 0.0
        self._faults: tuple[str, ...] = ()
        self._current = 0.0

    def step(self, command: VehicleCommand | None) -> CarOutput:
        """Read the sensors, and drive or brake."""
        motions = self._body.read()
        if motions.charge < CHARGE_LEAST:
            self._faults = (LOW_BATTERY,)
        applied = None
        if command is not None and not self._faults and self._takes(command):
            applied = self._follow(command, motions)
        else:
            self._stop()
        report = self._battery(motions) if self._steps % self._every == 0 else None
        self._steps += 1
        return CarOutput(self._state(motions), report, applied)

    def halt(self) -> None:
        """Brake, with the wheels where they are."""
        self._stop()

    def close(self) -> None:
        """It brakes, and so it stays."""
        if hasattr(self, "_body"):
            self._stop()

    def _takes(self, command: VehicleCommand) -> bool:
        """Whether a command is one that it can follow."""
        speed, steering, acceleration = command.speed, command.steering, command.acceleration or 0.0
        within = (
            abs(speed) <= self.speed_limit
            and abs(steering) <= self.steering_limit
            and abs(acceleration) <= self.acceleration_limit
        )
        low, high = {"D": (0.0, math.inf), "N": (0.0, 0.0), "P": (0.0, 0.0)}.get(command.gear, (math.inf, -math.inf))
        return within and low <= speed <= high

    def _stop(self) -> None:
        self._wheels, acceleration = self._body.drive(self._wheels, -BRAKING)
        self._current = -current(acceleration)

    def _follow(self, command: VehicleCommand, motions: CarSensors) -> VehicleCommand:
        limit = self.acceleration_limit if command.acceleration is None else abs(command.acceleration)
        speed, acceleration = self._control.step(command.speed, command.gear, limit, motions)
        self._wheels, acceleration = self._body.drive(command.steering, acceleration)
        self._current = -current(acceleration)
        return VehicleCommand(speed=speed, acceleration=limit, steering=self._wheels, gear=self._control.gear)

    def _state(self, motions: CarSensors) -> VehicleState:
        return VehicleState(
            speed=motions.speed,
            steering=motions.steering,
            yaw_rate=motions.yaw_rate,
            gear=self._control.gear,
            engaged=not self._faults,
            overridden=False,
            faults=self._faults,
            acquired=motions.acquired,
        )

    def _battery(self, motions: CarSensors) -> Battery:
        return Battery(
            voltage=voltage(motions.charge), current=self._current, charge=motions.charge, acquired=motions.acquired
        )
