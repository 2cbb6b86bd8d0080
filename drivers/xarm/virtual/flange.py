"""Kinematics of a virtual xArm's tool in the units of its box: millimetres, and roll, pitch, yaw about fixed axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from embodied.geometry import roll_pitch_yaw, rotation_matrix, rotation_vector, transform
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

SPACING = 0.04
"""Largest distance between two points of a path [m]."""

ARC = 0.25
"""Largest angle between two points of a circle [rad]."""

MM_PER_RADIAN = 300.0
"""Way [mm] that is counted for a turn of the tool by 1 rad."""


class Flange:
    """Kinematics of a virtual xArm's tool, which is its flange until a client sets an offset.

    Args:
        robot: joints and links of the arm.
        link: name of its last link, to which tools are screwed.

    Attributes:
        offset: transform (4, 4) from the flange to the tool.
    """

    def __init__(self, robot: Robot, link: str) -> None:
        # The tool is fixed to the flange, so the joints that move them are the same.
        self._chain = replace(robot, tool=Tool(link, (0.0, 0.0, 0.0))).chain
        self._lower, self._upper = robot.limit("lower"), robot.limit("upper")
        self.offset = np.eye(4)

    def at(self, q: Vector) -> Vector:
        """Return the transform (4, 4) from the base to the tool at joint positions (n,) [rad]."""
        pose: Vector = self._chain.tool(q) @ self.offset
        return pose

    def forward(self, q: Vector) -> Vector:
        """Return the pose at joint positions (n,) [rad]: x, y, z [mm] and roll, pitch, yaw [rad], shape (6,)."""
        return to_pose(self.at(q))

    def inverse(self, pose: Vector, q: Vector) -> Vector | None:
        """Return joint positions (n,) [rad] near `q` for a pose (6,); None if not found."""
        return self.reach(from_pose(pose.tolist()), q)

    def reach(self, wanted: Vector, q: Vector) -> Vector | None:
        """Return joint positions (n,) [rad] near `q` for a transform (4, 4), by damped least squares; None for none."""
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

    def path(self, start: Vector, poses: Sequence[Vector]) -> tuple[Vector, Vector] | None:
        """Return points and marks of a path of the tool; None if a point of it cannot be reached.

        Args:
            start: joint positions at its beginning, shape (n,) [rad].
            poses: transforms (4, 4) that it goes through, in straight lines.
        """
        points, marks = [start], [0.0]
        before = self.at(start)
        for after in poses:
            way = float(np.linalg.norm(after[:3, 3] - before[:3, 3]))
            turn = rotation_vector(after[:3, :3] @ before[:3, :3].T)
            length = max(way * MM, float(np.linalg.norm(turn)) * MM_PER_RADIAN)
            count = max(1, int(np.ceil(length / (SPACING * MM))))
            for part in range(1, count + 1):
                between = before.copy()
                between[:3, 3] += (after[:3, 3] - before[:3, 3]) * part / count
                between[:3, :3] = rotation_matrix(turn * part / count) @ before[:3, :3]
                q = self.reach(between, points[-1])
                if q is None:
                    return None
                points.append(q)
                marks.append(marks[-1] + max(length / count, 1e-9))
            before = after
        return np.array(points), np.array(marks)

    def steered(self, q: Vector, twist: Vector, tool: bool, seconds: float) -> Vector | None:
        """Return joint positions (n,) [rad] after some time of a velocity of the tool; None if they are not found.

        Args:
            q: joint positions before, shape (n,) [rad].
            twist: velocity and angular velocity, shape (6,) [m/s], [rad/s].
            tool: whether they are in the axes of the tool, and not of the base.
            seconds: time [s].
        """
        at, change = self.at(q), np.eye(4)
        change[:3, 3], change[:3, :3] = twist[:3] * seconds, rotation_matrix(twist[3:] * seconds)
        if tool:
            return self.reach(at @ change, q)
        wanted = at.copy()
        wanted[:3, 3] += change[:3, 3]
        wanted[:3, :3] = change[:3, :3] @ at[:3, :3]
        return self.reach(wanted, q)

    def _error(self, wanted: Vector, q: Vector) -> Vector:
        """Return the error to a pose: a translation [m] and a rotation vector [rad], shape (6,)."""
        at = self.at(q)
        turn = rotation_vector(wanted[:3, :3] @ at[:3, :3].T)
        return np.concatenate([wanted[:3, 3] - at[:3, 3], turn])


def from_pose(pose: Sequence[float], *, axis_angle: bool = False) -> Vector:
    """Return the transform (4, 4) of a pose of the box.

    Args:
        pose: x, y, z [mm], and roll, pitch, yaw or a rotation vector [rad].
        axis_angle: whether the last three are a rotation vector.
    """
    x, y, z, a, b, c = pose
    if not axis_angle:
        return transform((x / MM, y / MM, z / MM), (a, b, c))
    matrix = np.eye(4)
    matrix[:3, 3] = np.array([x, y, z]) / MM
    matrix[:3, :3] = rotation_matrix(np.array([a, b, c]))
    return matrix


def to_pose(matrix: Vector, *, axis_angle: bool = False) -> Vector:
    """Return a transform (4, 4) as a pose of the box (6,): the reverse of `from_pose`."""
    turn = rotation_vector(matrix[:3, :3]) if axis_angle else roll_pitch_yaw(matrix[:3, :3])
    return np.concatenate([matrix[:3, 3] * MM, turn])


def circle(start: Vector, second: Vector, third: Vector, percent: float) -> list[Vector] | None:
    """Return transforms (4, 4) along a circle through three; None if they are on a line. The orientation stays.

    Args:
        start: where it begins.
        second: point that it passes first.
        third: point that it passes next.
        percent: part of the whole circle [%].
    """
    a, b, c = (each[:3, 3] for each in (start, second, third))
    ab, ac = b - a, c - a
    normal = np.cross(ab, ac)
    size = float(normal @ normal)
    if size < 1e-12:
        return None
    center = a + (np.cross(normal, ab) * float(ac @ ac) + np.cross(ac, normal) * float(ab @ ab)) / (2 * size)
    axis, arm = normal / size**0.5, a - center
    turn = 2 * np.pi * percent / 100.0
    count = max(2, int(np.ceil(abs(turn) / ARC)))
    poses = []
    for part in range(1, count + 1):
        pose = start.copy()
        pose[:3, 3] = center + rotation_matrix(axis * (turn * part / count)) @ arm
        poses.append(pose)
    return poses
