"""Bench of a road vehicle with a drive-by-wire unit."""

from __future__ import annotations

import numpy as np

from embodied.messages import VehicleCommand
from embodied.messages.schema import Command
from embodied.testing.benches.bench import Bench


class VehicleBench(Bench):
    """Bench of a road vehicle, whose motion is a slow drive along a bend.

    Attributes:
        speed: speed of its motion [m/s].
        steering: largest steering angle of its motion [rad].
        speed_limit: largest speed that may reach it [m/s].
        steering_limit: largest angle of its front wheels that may reach it [rad].
    """

    # Either side lets go after 100 ms without a frame, and some are sent in every second cycle: delays add up.
    patience = 0.02
    speed: float = 0.8
    steering: float = 0.2
    speed_limit: float = 1.5
    steering_limit: float = 0.5

    def motion(self, seconds: float) -> Command:
        """Return a constant speed, with the wheels turning to the left and back every two seconds."""
        angle = self.steering * (1.0 - np.cos(np.pi * seconds)) / 2
        return VehicleCommand(speed=self.speed, acceleration=1.0, steering=float(angle))

    def rest(self) -> None:
        """Do nothing, since every motion begins at its start."""

    def forbidden(self) -> list[Command]:
        """Return NaN and infinity in each number, values beyond the limits, unknown gears, and backwards in D."""
        invalid = (float("nan"), float("inf"), float("-inf"))
        commands = [VehicleCommand(speed=value, steering=0.0) for value in (*invalid, self.speed_limit + 0.5, -0.5)]
        commands += [VehicleCommand(speed=0.5, steering=value) for value in (*invalid, self.steering_limit + 0.1, -1e9)]
        commands += [VehicleCommand(speed=0.5, steering=0.0, acceleration=value) for value in (*invalid, 1e3)]
        return [*commands, *(VehicleCommand(speed=0.5, steering=0.0, gear=gear) for gear in ("", "X", "DD", "P"))]

    def allowed(self, received: Command) -> bool:
        """Return whether a command is finite, within the limits, and forwards."""
        assert isinstance(received, VehicleCommand)
        slow = -self.tolerance <= received.speed <= self.speed_limit + self.tolerance
        straight = abs(received.steering) <= self.steering_limit + self.tolerance
        return bool(
            slow and straight and np.isfinite(received.acceleration or 0.0) and received.gear in ("P", "R", "N", "D")
        )

    def same(self, applied: Command, received: Command) -> bool:
        """Return whether speed and angle agree within the tolerance, and the gear."""
        assert isinstance(applied, VehicleCommand)
        assert isinstance(received, VehicleCommand)
        near = abs(applied.speed - received.speed) <= self.tolerance
        return near and abs(applied.steering - received.steering) <= self.tolerance and applied.gear == received.gear
