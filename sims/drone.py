"""Driver of a simulated multirotor: its autopilot with estimator, controller, arming and landing."""

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
from embodied.bodies import WORLD, DroneBody, Drones, body_claim, drone, lacks
from embodied.clock import period, rate_of
from embodied.messages import Battery, DroneCommand, DroneState, Vector
from embodied.ranges import Range, at_least
from embodied.world import World

AIRBORNE_HEIGHT = 0.10
"""Height above the take-off point at which the multirotor is airborne [m]."""

SINK_RATE = 0.5
"""Speed of the descent when it lands [m/s]."""

SETPOINT_LEAD = 0.05
"""Distance of the descending set-point below the multirotor [m]."""

SINK_LEAST = 0.08
"""Vertical speed below which it no longer sinks [m/s]."""

TOUCHDOWN_TIME = 0.79
"""Time without sinking after which it has landed [s]."""

RATES = at_least(100, "Hz")
"""Rates of the control loop at which it flies."""

RESERVES = Range(0, 1, includes="[)")
"""States of charge that can be kept in reserve."""


class DroneOutput(NamedTuple):
    """Output of the driver `SimDrone`: estimated state, battery, and the command that the autopilot follows."""

    state: DroneState
    battery: Battery
    applied: DroneCommand | None


@dataclass
class SimDrone(Driver):
    """Driver of a simulated multirotor with its autopilot.

    On the ground it arms on a command for a position or a velocity, and takes off. Without a command it holds where it
    comes to rest, or stays on the ground. On a command to land it comes down and disarms.

    Attributes:
        drone: name of the multirotor in the world.
        limits: flight limits of its own controller.
        reserve: state of charge below which it does not arm, 0 to 1.
    """

    drone: str = "drone"
    limits: Limits = field(default_factory=Limits)
    reserve: float = 0.15

    rate = 150.0  # [Hz]

    def ports(self) -> Ports:
        """Refine commands and state by the world's frame."""
        ports = super().ports()
        for name in ("command", "state", "applied"):
            ports = ports.refine(name, frame=WORLD)
        return ports

    def check(self) -> Iterable[str]:
        """Check rate and reserve; yield one sentence a problem."""
        yield from RATES.problems(rate=rate_of(self.rate))
        yield from RESERVES.problems(reserve=self.reserve)

    def claims(self) -> Iterable[str]:
        """Yield the multirotor of the world."""
        yield body_claim("multirotor", self.drone)

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has multirotors."""
        return lacks(world, Drones)

    def open(self, world: World) -> None:
        """Find the drone in the world.

        Raises:
            WorldFailed: there is no multirotor of that name.
        """
        self._body: DroneBody = drone(world, self.drone)
        self._estimator = Estimator(self._body.quadrotor)
        self._controller = Controller(self._body.quadrotor, self.limits)
        self._dt = period(rate_of(self.rate)) / SECOND
        self._mode = "disarmed"
        self._landed = True
        self._height = 0.0
        self._setpoint = Setpoint()
        self._touchdown = Touchdown(TOUCHDOWN_TIME)

    def step(self, command: DroneCommand | None) -> DroneOutput:
        """Estimate the state, choose the mode, and set the rotors."""
        sensors = self._body.read()
        estimate = self._estimator.update(sensors)
        request = command if command is not None and is_legal(command) else None
        if self._mode == "disarmed":
            if request is not None and not request.land and self._may_arm(estimate, sensors.charge):
                self._take_off(estimate)
        else:
            self._landed = self._landed and float(estimate.position[2]) < self._height + AIRBORNE_HEIGHT
        applied = None if self._mode == "disarmed" else self._follow(request, estimate)
        if self._mode == "disarmed":
            self._body.thrust(np.zeros(4))
        else:
            self._body.thrust(self._controller.step(estimate, self._setpoint, self._dt))
        battery = Battery(voltage=sensors.voltage, charge=sensors.charge, acquired=sensors.acquired)
        return DroneOutput(self._state(estimate), battery, applied)

    def halt(self) -> None:
        """Hold the position: nothing else stops a multirotor in the air without dropping it."""
        if self._mode not in ("disarmed", "land"):
            self._mode = "position"

    def close(self) -> None:
        """Stop the rotors on the ground; in the air they keep their last thrust."""
        if self._mode == "disarmed":
            self._body.thrust(np.zeros(4))

    def _may_arm(self, estimate: Estimate, charge: float) -> bool:
        """Test whether it is located, charged and level."""
        denials = arming_denials(located=self._estimator.ready, charge=charge, reserve=self.reserve)
        return not any(denials) and is_level(estimate)

    def _take_off(self, estimate: Estimate) -> None:
        self._mode, self._landed, self._height = "hold", True, float(estimate.position[2])
        self._controller.reset()
        self._setpoint = Setpoint(estimate.position, yaw=estimate.yaw)

    def _follow(self, request: DroneCommand | None, estimate: Estimate) -> DroneCommand | None:
        if request is None:
            if self._mode != "hold" and not (self._mode == "land" and self._landed):
                self._mode = "hold"
                self._setpoint = Setpoint(resting(estimate, self.limits), yaw=estimate.yaw)
            return None
        yaw = self._setpoint.yaw if request.yaw is None else request.yaw
        if request.land:
            return self._land(request, estimate, yaw)
        self._mode = "velocity" if request.position is None else "position"
        self._setpoint = Setpoint(request.position, request.velocity, yaw)
        return DroneCommand(position=request.position, velocity=request.velocity, yaw=yaw, frame=WORLD)

    def _land(self, request: DroneCommand, estimate: Estimate, yaw: float) -> DroneCommand | None:
        if self._mode != "land":
            self._mode, self._touchdown.since = "land", None
            self._over = resting(estimate, self.limits)[:2]
        if request.position is not None:
            self._over = request.position[:2]
        self._setpoint = descent(self._over, estimate.position[2] - SETPOINT_LEAD, SINK_RATE, yaw)
        if self._touchdown.update(abs(estimate.velocity[2]) < SINK_LEAST, estimate.acquired / SECOND):
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


def is_legal(command: DroneCommand) -> bool:
    """Test whether the simulated multirotor may follow a command: finite, with a position, a velocity or a landing."""
    setpoints = [value for value in (command.position, command.velocity) if value is not None]
    numbers = np.concatenate([*setpoints, [0.0 if command.yaw is None else command.yaw]])
    return bool(np.isfinite(numbers).all()) and (bool(setpoints) or command.land)


def resting(estimate: Estimate, limits: Limits) -> Vector:
    """Predict where the simulated multirotor comes to rest if it slows down now, shape (3,) [m]."""
    speed = float(np.linalg.norm(estimate.velocity))
    return estimate.position + estimate.velocity * (0.3 + speed / (2.0 * limits.acceleration))
