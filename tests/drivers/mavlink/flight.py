"""Flight of a rigid body with the virtual autopilot in simulated time, for tests of its decisions."""

from __future__ import annotations

import math
from collections.abc import Callable

from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.flight_control import FlightControl
from drivers.mavlink.virtual.targets import Target
from embodied.autopilot import Estimate
from embodied.clock import SECOND, Time
from embodied.geometry import quaternion
from embodied.messages import DroneCommand, Vector
from tests.drivers.multirotor import Sky

PERIOD = 1 / 150
"""Time between two steps of the autopilot [s]."""


class Flight:
    """Flight of a rigid body with the virtual autopilot."""

    def __init__(self, place: tuple[float, float] = (0.0, 0.0), **parameters: int | float) -> None:
        self.sky = Sky(place)
        self.sky.reset(0)
        self.autopilot = Autopilot(parameters)
        self.control = FlightControl(self.sky.body.quadrotor)
        self.steps = 0
        self.go(0.5)

    @property
    def at(self) -> Vector:
        return self.sky.body.position

    # Methods, since a type checker takes an attribute to stay as it was asserted.
    def mode(self) -> Mode:
        return self.autopilot.mode

    def armed(self) -> bool:
        return self.autopilot.armed

    def landed(self) -> bool:
        return self.autopilot.landed

    @property
    def texts(self) -> str:
        return "; ".join(text for _, text in self.autopilot.texts)

    def go(self, seconds: float, command: DroneCommand | None = None, until: Callable[[], bool] | None = None) -> None:
        for _ in range(round(seconds / PERIOD)):
            if until is not None and until():
                return
            if command is not None:
                self.autopilot.receive_setpoint(Target.of(command))
            self.sky.advance(Time(round(self.steps * PERIOD * SECOND)))
            body = self.sky.body
            turned = quaternion(body.attitude)
            estimate = Estimate(body.position.copy(), body.velocity.copy(), turned, body.turning.copy(), body.now)
            setpoint = self.autopilot.step(self.steps * PERIOD, estimate, ready=True)
            thrusts = self.control.thrusts(estimate, setpoint, self.autopilot.speeds, 0.5, PERIOD)
            body.thrust(thrusts)
            self.steps += 1

    def wait(self, condition: Callable[[], bool], seconds: float = 40.0) -> None:
        self.go(seconds, until=condition)
        assert condition(), f"{self.mode()} at {self.at}: {self.texts}"

    @property
    def yaw(self) -> float:
        forward = self.sky.body.attitude[:, 0]
        return math.atan2(forward[1], forward[0])

    def lift(self) -> None:
        self.autopilot.arm()
        self.autopilot.takeoff(2.0)
        self.wait(lambda: self.mode() is Mode.HOLD)

    def command(self, seconds: float, place: Vector) -> None:
        command = DroneCommand(position=place, frame="world")
        self.go(PERIOD, command)
        self.autopilot.change(Mode.OFFBOARD)
        self.go(seconds, command)
