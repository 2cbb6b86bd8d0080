"""Where an arm's flange is, in the words of its box: millimetres, and roll, pitch and yaw about fixed axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.geometry import transform
from embodied.messages import Vector
from embodied.robot import Robot, Tool

MM = 1000.0
STEP = 1e-6  # of a numeric derivative [rad]


class Flange:
    """Kinematics of the last link.

    Args:
        robot: the arm.
        link: its last, to which tools are screwed.
    """

    def __init__(self, robot: Robot, link: str) -> None:
        # The tool begins where the flange ends, so the joints on the way are the same.
        self._chain = replace(robot, tool=Tool(link, (0.0, 0.0, 0.0))).chain
        self._lower, self._upper = robot.limit("lower"), robot.limit("upper")

    def forward(self, q: Vector) -> Vector:
        """Pose at joint positions (n,) [rad]: x, y, z [mm] and roll, pitch, yaw [rad]; shape (6,)."""
        pose = self._chain.tool(q)
        return np.concatenate([pose[:3, 3] * MM, _rpy(pose)])

    def inverse(self, pose: Vector, q: Vector) -> Vector | None:
        """Joint positions (n,) near `q` for a pose (6,), by damped least squares; None if none are found."""
        x, y, z, roll, pitch, yaw = pose.tolist()
        wanted = transform((x / MM, y / MM, z / MM), (roll, pitch, yaw))
        q = np.clip(q, self._lower, self._upper)
        for _ in range(100):
            left = self._left(wanted, q)
            if np.abs(left).max() < 1e-5:
                return q
            moved = np.array([self._left(wanted, q + step) for step in STEP * np.eye(len(q))])
            jacobian = (left - moved).T / STEP
            way = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-6 * np.eye(6), left)
            q = np.clip(q + np.clip(way, -0.3, 0.3), self._lower, self._upper)
        return None

    def _left(self, wanted: Vector, q: Vector) -> Vector:
        """What is left of the way to a pose: [m], and a rotation vector for small angles [rad]."""
        at = self._chain.tool(q)
        turn = wanted[:3, :3] @ at[:3, :3].T
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        sine, cosine = float(np.linalg.norm(axis)) / 2, (float(np.trace(turn)) - 1) / 2
        scale = 0.5 if sine < 1e-9 else float(np.arctan2(sine, cosine)) / (2 * sine)
        return np.concatenate([wanted[:3, 3] - at[:3, 3], scale * axis])


def _rpy(pose: Vector) -> Vector:
    """Roll, pitch and yaw of a homogeneous transform, about fixed axes in that order [rad]."""
    r = pose[:3, :3]
    pitch = np.arctan2(-r[2, 0], np.hypot(r[0, 0], r[1, 0]))
    if abs(np.cos(pitch)) < 1e-6:
        return np.array([np.arctan2(-r[1, 2], r[1, 1]), pitch, 0.0])
    return np.array([np.arctan2(r[2, 1], r[2, 2]), pitch, np.arctan2(r[1, 0], r[0, 0])])
