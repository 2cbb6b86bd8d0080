"""Kinematics of a virtual xArm's flange in the units of its box: millimetres, and roll, pitch, yaw about fixed axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.geometry import roll_pitch_yaw, rotation_vector, transform
from embodied.messages import Vector
from embodied.robot import Robot, Tool

MM = 1000.0
"""Millimetres in a metre."""

STEP = 1e-6
"""Step of a numeric derivative [rad]."""

ITERATIONS = 100
"""Largest number of iterations of the inverse kinematics."""

DAMPING = 1e-6
"""Damping of the least squares, which keeps them solvable in singular poses."""

TOLERANCE = 1e-5
"""Largest remaining error of a pose that is reached [m], [rad]."""


class Flange:
    """Kinematics of a virtual xArm's flange, its last link.

    Args:
        robot: joints and links of the arm.
        link: name of its last link, to which tools are screwed.
    """

    def __init__(self, robot: Robot, link: str) -> None:
        # The tool is fixed to the flange, so the joints that move them are the same.
        self._chain = replace(robot, tool=Tool(link, (0.0, 0.0, 0.0))).chain
        self._lower, self._upper = robot.limit("lower"), robot.limit("upper")

    def forward(self, q: Vector) -> Vector:
        """Return the pose at joint positions (n,) [rad]: x, y, z [mm] and roll, pitch, yaw [rad], shape (6,)."""
        pose = self._chain.tool(q)
        return np.concatenate([pose[:3, 3] * MM, roll_pitch_yaw(pose[:3, :3])])

    def inverse(self, pose: Vector, q: Vector) -> Vector | None:
        """Return joint positions (n,) [rad] near `q` for a pose (6,), by damped least squares; None if not found."""
        x, y, z, roll, pitch, yaw = pose.tolist()
        wanted = transform((x / MM, y / MM, z / MM), (roll, pitch, yaw))
        q = np.clip(q, self._lower, self._upper)
        for _ in range(ITERATIONS):
            error = self._error(wanted, q)
            if np.abs(error).max() < TOLERANCE:
                return q
            errors = np.array([self._error(wanted, q + step) for step in STEP * np.eye(len(q))])
            jacobian = (error - errors).T / STEP
            change = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + DAMPING * np.eye(6), error)
            q = np.clip(q + np.clip(change, -0.3, 0.3), self._lower, self._upper)
        return None

    def _error(self, wanted: Vector, q: Vector) -> Vector:
        """Return the error to a pose: a translation [m] and a rotation vector [rad], shape (6,)."""
        at = self._chain.tool(q)
        turn = rotation_vector(wanted[:3, :3] @ at[:3, :3].T)
        return np.concatenate([wanted[:3, 3] - at[:3, 3], turn])
