"""A multirotor in the simulated world, as a driver: its autopilot with estimator, controller, arming and landing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from embodied import SECOND, Driver, Ports
from embodied.autopilot import (
    Controller,
    Estimate,
    Estimator,
    Limits,
    Setpoint,
    Touchdown,
    arming_denials,
    descent,
    is_level,
)
from embodied.bodies import WORLD, DroneBody, Drones, drone, lacks
from embodied.clock import period, rate_of
from embodied.messages import Battery, DroneCommand, DroneState, Vector
from embodied.world import World

AIRBORNE = 0.10  # above where it was armed [m]
SINK = 0.5  # on the way down [m/s]
LEAD = 0.05  # of the set-point below the drone on the way down [m]
SETTLED = 0.08  # what counts as no longer sinking [m/s]
TOUCHDOWN = 0.79  # time without sinking after which it has landed [s]


class DroneOutput(NamedTuple):
    """How it flies by its own estimate, its battery, and what it is really doing of what it was told."""

    state: DroneState
    battery: Battery
    applied: DroneCommand | None


@dataclass
class SimDrone(Driver):
    """The multirotor of the world.

    Standing, it arms on a command for a position or a velocity, and takes off. Without a command it holds where it
    comes to rest, and standing it stays. Told to land it comes down and disarms.

    Attributes:
        drone: which one of the world.
        limits: of its flight, by its own controller.
        reserve: with less charge it does not arm, 0 to 1.
    """

    drone: str = "drone"
    limits: Limits = field(default_factory=Limits)
    reserve: float = 0.15

    rate = 150.0  # [Hz]

    def ports(self) -> Ports:
        """Everything is in the world's frame."""
        ports = super().ports()
        for name in ("command", "state", "applied"):
            ports = ports.refine(name, frame=WORLD)
        return ports

    def check(self) -> Iterable[str]:
        """Rate and reserve make sense."""
        if rate_of(self.rate) < 100:
            yield f"rate = {self.rate} Hz is too slow to fly by: at least 100"
        if not 0.0 <= self.reserve < 1.0:
            yield f"reserve = {self.reserve} is no share of a battery: 0 and below 1"

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has multirotors."""
        return lacks(world, Drones)

    def open(self, world: World) -> None:
        """Find the drone in the world.

        Raises:
            WorldFailed: there is none of that name.
        """
        self._body: DroneBody = drone(world, self.drone)
        self._estimator = Estimator(self._body.quadrotor)
        self._controller = Controller(self._body.quadrotor, self.limits)
        self._dt = period(rate_of(self.rate)) / SECOND
        self._mode = "disarmed"
        self._landed = True
        self._height = 0.0
        self._setpoint = Setpoint()
        self._touchdown = Touchdown(TOUCHDOWN)

    def step(self, command: DroneCommand | None) -> DroneOutput:
        """Read the sensors, decide what to do, and tell the rotors."""
        sensors = self._body.read()
        estimate = self._estimator.update(sensors)
        asked = command if command is not None and finite(command) else None
        if self._mode == "disarmed":
            if asked is not None and not asked.land and self._fit(estimate, sensors.charge):
                self._take_off(estimate)
        else:
            self._landed = self._landed and float(estimate.position[2]) < self._height + AIRBORNE
        applied = None if self._mode == "disarmed" else self._follow(asked, estimate)
        if self._mode == "disarmed":
            self._body.thrust(np.zeros(4))
        else:
            self._body.thrust(self._controller.step(estimate, self._setpoint, self._dt))
        battery = Battery(voltage=sensors.voltage, charge=sensors.charge, acquired=sensors.acquired)
        return DroneOutput(self._state(estimate), battery, applied)

    def halt(self) -> None:
        """Hold where it is: nothing else stops a multirotor in the air without dropping it."""
        if self._mode not in ("disarmed", "land"):
            self._mode = "position"

    def close(self) -> None:
        """Its rotors stop if it stands; in the air they keep what they were told last."""
        if self._mode == "disarmed":
            self._body.thrust(np.zeros(4))

    def _fit(self, estimate: Estimate, charge: float) -> bool:
        """Whether it may arm."""
        denials = arming_denials(located=self._estimator.ready, charge=charge, reserve=self.reserve)
        return not any(denials) and is_level(estimate)

    def _take_off(self, estimate: Estimate) -> None:
        self._mode, self._landed, self._height = "hold", True, float(estimate.position[2])
        self._controller.reset()
        self._setpoint = Setpoint(estimate.position, yaw=estimate.yaw)

    def _follow(self, asked: DroneCommand | None, estimate: Estimate) -> DroneCommand | None:
        if asked is None:
            if self._mode != "hold" and not (self._mode == "land" and self._landed):
                self._mode = "hold"
                self._setpoint = Setpoint(resting(estimate, self.limits), yaw=estimate.yaw)
            return None
        yaw = self._setpoint.yaw if asked.yaw is None else asked.yaw
        if asked.land:
            return self._land(asked, estimate, yaw)
        self._mode = "velocity" if asked.position is None else "position"
        self._setpoint = Setpoint(asked.position, asked.velocity, yaw)
        return DroneCommand(position=asked.position, velocity=asked.velocity, yaw=yaw, frame=WORLD)

    def _land(self, asked: DroneCommand, estimate: Estimate, yaw: float) -> DroneCommand | None:
        if self._mode != "land":
            self._mode, self._touchdown.since = "land", None
            self._over = resting(estimate, self.limits)[:2]
        if asked.position is not None:
            self._over = asked.position[:2]
        self._setpoint = descent(self._over, estimate.position[2] - LEAD, SINK, yaw)
        if self._touchdown.update(abs(estimate.velocity[2]) < SETTLED, estimate.acquired / SECOND):
            self._mode, self._landed = "disarmed", True
            return None
        return DroneCommand(position=self._setpoint.position, yaw=yaw, land=True, frame=WORLD)

    def _state(self, estimate: Estimate) -> DroneState:
        return DroneState(
            position=estimate.position,
            orientation=estimate.orientation,
            linear_velocity=estimate.velocity,
            angular_velocity=estimate.angular_velocity,
            armed=self._mode != "disarmed",
            landed=self._landed,
            mode=self._mode,
            frame=WORLD,
            acquired=estimate.acquired,
        )


def finite(command: DroneCommand) -> bool:
    """Whether a command is made of numbers, and says anything at all."""
    given = [value for value in (command.position, command.velocity) if value is not None]
    numbers = np.concatenate([*given, [0.0 if command.yaw is None else command.yaw]])
    return bool(np.isfinite(numbers).all()) and (bool(given) or command.land)


def resting(estimate: Estimate, limits: Limits) -> Vector:
    """Where it comes to rest if it slows down now, shape (3,) [m]."""
    speed = float(np.linalg.norm(estimate.velocity))
    return estimate.position + estimate.velocity * (0.3 + speed / (2.0 * limits.acceleration))
