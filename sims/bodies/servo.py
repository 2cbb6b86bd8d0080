"""Servos of a simulated arm's joints: position control with an interpolated target and the motors' own torque."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from embodied.messages import Vector
from sims.bullet import Bullet

INTERPOLATION = 0.01
"""Time over which the target travels to a new command: the period of a position interface at 100 Hz [s]."""


class Servo:
    """Position servos of a simulated arm's joints, with linear interpolation between commands.

    A target that jumped with every command would make the motors jerk to their torque limits and back; as in a real
    drive, the target travels to the newest command at constant speed, and that speed is fed forward to the motors.

    Args:
        bullet: the simulator.
        body: number of the arm's body.
        joints: numbers of its joints.
        effort: torque limit of each motor, shape (n,) [N·m].
        velocity: speed limit of each joint, shape (n,) [rad/s].
        gain: share of the position error that is corrected in one physics step.
        rate: physics steps per second [Hz].
    """

    def __init__(
        self,
        bullet: Bullet,
        body: int,
        joints: Sequence[int],
        effort: Vector,
        velocity: Vector,
        gain: float,
        rate: float,
    ) -> None:
        self._bullet = bullet
        self._body = body
        self._joints = list(joints)
        self._effort: list[float] = effort.tolist()
        # A command at the very limit may be above it by rounding.
        self._fastest = velocity * (1 + 1e-6)
        self._gains = [gain] * len(self._joints)
        self._rate = rate
        self._steps = max(1, round(INTERPOLATION * rate))
        self._left = 0
        self._goal = self._velocity = np.zeros(len(self._joints))

    def hold(self, position: Vector) -> None:
        """Hold a position, shape (n,) [rad]."""
        self._goal, self._velocity, self._left = position, np.zeros_like(position), -1
        self._send(position)

    def follow(self, goal: Vector) -> None:
        """Move the target to a position, shape (n,) [rad], from wherever it is, no faster than the joints may go."""
        start = self._goal - self._velocity * (max(self._left, 0) / self._rate)
        self._velocity = (goal - start) * (self._rate / self._steps)
        self._goal, self._left = goal, self._steps
        excess = float((np.abs(self._velocity) / self._fastest).max())
        if excess > 1.0:
            self._left = math.ceil(excess * self._steps)
            self._velocity = (goal - start) * (self._rate / self._left)

    def step(self) -> None:
        """Advance the target; to be called before every physics step."""
        if self._left > 0:
            self._send(self._goal - self._velocity * (self._left / self._rate))
            self._left -= 1
        elif self._left == 0:
            self.hold(self._goal)

    def _send(self, position: Vector) -> None:
        # The motor adds its speed to what the position error asks for, so the position is that before the step.
        self._bullet.setJointMotorControlArray(
            self._body,
            self._joints,
            self._bullet.POSITION_CONTROL,
            targetPositions=position.tolist(),
            targetVelocities=self._velocity.tolist(),
            forces=self._effort,
            positionGains=self._gains,
        )
