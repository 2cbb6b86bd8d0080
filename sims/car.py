"""Driver of a simulated shuttle, which follows commands as a drive-by-wire unit on a CAN bus does."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver
from embodied.bodies import CarBody, Cars, CarSensors, body_claim, car, lacks
from embodied.clock import rate_of
from embodied.devices.drive_by_wire import BRAKING, CHARGE_LEAST, LOW_BATTERY, SpeedControl, current, voltage
from embodied.messages import Battery, VehicleCommand, VehicleState
from embodied.ranges import Range, positive
from embodied.world import World

BATTERY_RATE = 10.0
"""Reports of the battery per second [Hz]."""

COMMAND_RATES = Range(50, 200, "Hz")
"""Rates at which a drive-by-wire unit takes commands."""


class CarOutput(NamedTuple):
    """Output of the driver `SimCar`: state of the shuttle, battery at `BATTERY_RATE`, and the followed command."""

    state: VehicleState
    battery: Battery | None
    applied: VehicleCommand | None


@dataclass
class SimCar(Driver):
    """Driver of a simulated shuttle; without a command it brakes to a stop, with its wheels where they are.

    It approaches `speed` with the magnitude of `acceleration`, or with `acceleration_limit` where there is none.
    Commands that are not finite, beyond the limits or at odds with their gear are refused whole. Gears change at rest,
    there is no reverse gear, and in P the brakes hold. A low battery is a latched fault, and stops the shuttle.

    Attributes:
        car: name of the shuttle in the world.
        speed_limit: largest speed [m/s].
        steering_limit: largest angle of the front wheels at the road [rad].
        acceleration_limit: largest acceleration and deceleration [m/s²].
    """

    car: str = "car"
    speed_limit: float = 3.0
    steering_limit: float = 0.5
    acceleration_limit: float = 2.0

    rate = 50.0  # [Hz]

    def check(self) -> Iterable[str]:
        """Check the rate and the limits; yield one sentence a problem."""
        yield from positive("m/s").problems(speed_limit=self.speed_limit)
        yield from positive("rad").problems(steering_limit=self.steering_limit)
        yield from positive("m/s²").problems(acceleration_limit=self.acceleration_limit)
        yield from COMMAND_RATES.problems(rate=rate_of(self.rate))

    def claims(self) -> Iterable[str]:
        """Yield the road vehicle of the world."""
        yield body_claim("vehicle", self.car)

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has road vehicles."""
        return lacks(world, Cars)

    def open(self, world: World) -> None:
        """Find the car in the world.

        Raises:
            WorldFailed: there is no car of that name.
        """
        self._body: CarBody = car(world, self.car)
        self._steps_per_report = max(1, round(float(rate_of(self.rate)) / BATTERY_RATE))
        self._steps = 0
        self._control, self._wheels = SpeedControl(), 0.0
        self._faults: tuple[str, ...] = ()
        self._current = 0.0

    def step(self, command: VehicleCommand | None) -> CarOutput:
        """Read the sensors, and drive or brake."""
        sensors = self._body.read()
        if sensors.charge < CHARGE_LEAST:
            self._faults = (LOW_BATTERY,)
        applied = None
        if command is not None and not self._faults and self._legal(command):
            applied = self._follow(command, sensors)
        else:
            self._stop()
        report = self._battery(sensors) if self._steps % self._steps_per_report == 0 else None
        self._steps += 1
        return CarOutput(self._state(sensors), report, applied)

    def halt(self) -> None:
        """Brake, with the wheels where they are."""
        self._stop()

    def close(self) -> None:
        """Brake for good: the brakes stay on."""
        if hasattr(self, "_body"):
            self._stop()

    def _legal(self, command: VehicleCommand) -> bool:
        """Test whether a command is finite, within the limits and possible in its gear."""
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

    def _follow(self, command: VehicleCommand, sensors: CarSensors) -> VehicleCommand:
        limit = self.acceleration_limit if command.acceleration is None else abs(command.acceleration)
        speed, acceleration = self._control.step(command.speed, command.gear, limit, sensors)
        self._wheels, acceleration = self._body.drive(command.steering, acceleration)
        self._current = -current(acceleration)
        return VehicleCommand(speed=speed, acceleration=limit, steering=self._wheels, gear=self._control.gear)

    def _state(self, sensors: CarSensors) -> VehicleState:
        return VehicleState(
            speed=sensors.speed,
            steering=sensors.steering,
            yaw_rate=sensors.yaw_rate,
            gear=self._control.gear,
            engaged=not self._faults,
            overridden=False,
            faults=self._faults,
            acquired=sensors.acquired,
        )

    def _battery(self, sensors: CarSensors) -> Battery:
        return Battery(
            voltage=voltage(sensors.charge), current=self._current, charge=sensors.charge, acquired=sensors.acquired
        )
