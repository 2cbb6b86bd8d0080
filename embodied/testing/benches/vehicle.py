"""A road vehicle on a bench."""

from __future__ import annotations

import numpy as np

from embodied.messages import VehicleCommand
from embodied.messages.schema import Command
from embodied.testing.benches.bench import Bench


class VehicleBench(Bench):
    """A road vehicle on a bench: its motion is a slow drive along a bend.

    Attributes:
        speed: of its motion [m/s].
        steering: of its motion, at most [rad].
        speed_limit: the most that may be asked of it [m/s].
        steering_limit: the largest angle of its front wheels [rad].
    """

    # Such units wait 100 ms for an order, and no longer, whatever kept it.
    patience = 0.05
    speed: float = 0.8
    steering: float = 0.2
    speed_limit: float = 1.5
    steering_limit: float = 0.5

    def motion(self, seconds: float) -> Command:
        """An even speed; the wheels turn to the left and back every two seconds."""
        angle = self.steering * (1.0 - np.cos(np.pi * seconds)) / 2
        return VehicleCommand(speed=self.speed, acceleration=1.0, steering=float(angle))

    def rest(self) -> None:
        """Every motion begins anew."""

    def forbidden(self) -> list[Command]:
        """NaN and infinity in each number, what is beyond the limits, no such gear, and backwards in D."""
        odd = (float("nan"), float("inf"), float("-inf"))
        commands = [VehicleCommand(speed=value, steering=0.0) for value in (*odd, self.speed_limit + 0.5, -0.5)]
        commands += [VehicleCommand(speed=0.5, steering=value) for value in (*odd, self.steering_limit + 0.1, -1e9)]
        commands += [VehicleCommand(speed=0.5, steering=0.0, acceleration=value) for value in (*odd, 1e3)]
        return [*commands, *(VehicleCommand(speed=0.5, steering=0.0, gear=gear) for gear in ("", "X", "DD", "P"))]

    def allowed(self, heard: Command) -> bool:
        """Finite, within the limits, and forwards."""
        assert isinstance(heard, VehicleCommand)
        fast = -self.tolerance <= heard.speed <= self.speed_limit + self.tolerance
        turned = abs(heard.steering) <= self.steering_limit + self.tolerance
        return bool(fast and turned and np.isfinite(heard.acceleration or 0.0) and heard.gear in ("P", "R", "N", "D"))

    def same(self, applied: Command, heard: Command) -> bool:
        """Speed and angle within the tolerance, and the gear."""
        assert isinstance(applied, VehicleCommand)
        assert isinstance(heard, VehicleCommand)
        near = abs(applied.speed - heard.speed) <= self.tolerance
        return near and abs(applied.steering - heard.steering) <= self.tolerance and applied.gear == heard.gear
