"""Rotations and rigid transforms: matrices, quaternions, rotation vectors, roll-pitch-yaw; and names of frames."""

from __future__ import annotations

import math

import numpy as np

from embodied.messages.schema import Vector

BASE = "base"
"""The frame of a robot's base link, in which detections, goals and tool poses are given."""


def norm(vector: Vector) -> float:
    """Euclidean length."""
    return math.sqrt(float(vector @ vector))


def rotation_vector(rotation: Vector) -> Vector:
    """Axis times angle [rad], shape (3,), of a rotation matrix (3, 3); the angle is 0 to pi."""
    r = rotation
    twice = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    sine = math.sqrt(float(twice @ twice))
    cosine = float(r[0, 0] + r[1, 1] + r[2, 2]) - 1.0
    angle = math.atan2(sine, cosine)
    if sine > 1e-6:
        return twice * (angle / sine)
    if cosine > 0.0:
        return 0.5 * twice
    # At half a turn R = 2·n·nᵀ - I, so its largest column leads to the axis, whose sign is free.
    square = 0.5 * (r + np.eye(3))
    column: Vector = square[:, int(np.argmax(np.diag(square)))]
    return column * (angle / norm(column))


def rotation_matrix(vector: Vector) -> Vector:
    """The rotation (3, 3) by axis times angle (3,) [rad], by Rodrigues' formula."""
    x, y, z = vector.tolist()
    angle = math.sqrt(x * x + y * y + z * z)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    around, across = 1.0, 0.5
    if angle > 1e-9:
        around, across = math.sin(angle) / angle, (1.0 - math.cos(angle)) / (angle * angle)
    turned: Vector = np.eye(3) + around * cross + across * np.matmul(cross, cross)
    return turned


def transform(xyz: tuple[float, ...], rpy: tuple[float, ...]) -> Vector:
    """A homogeneous transform from a translation [m] and fixed-axis roll, pitch, yaw [rad], as URDF has them."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr, xyz[0]],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr, xyz[1]],
            [-sp, cp * sr, cp * cr, xyz[2]],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


def quaternion(rotation: Vector) -> Vector:
    """The unit quaternion (x, y, z, w) of a rotation matrix, by Shepperd's method."""
    m = rotation
    choices = (m[0, 0], m[1, 1], m[2, 2], m[0, 0] + m[1, 1] + m[2, 2])
    largest = int(np.argmax(choices))
    q = np.empty(4)
    if largest == 3:
        q[3] = 1.0 + choices[3]
        q[0], q[1], q[2] = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        q[i] = 1.0 + m[i, i] - m[j, j] - m[k, k]
        q[j], q[k], q[3] = m[j, i] + m[i, j], m[k, i] + m[i, k], m[k, j] - m[j, k]
    if q[3] < 0:
        q = -q
    normalised: Vector = q / np.linalg.norm(q)
    return normalised


def rotation(quaternion: Vector) -> Vector:
    """The rotation matrix of a unit quaternion (x, y, z, w)."""
    x, y, z, w = quaternion.tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def tool_rotation(approach: Vector, yaw: float, facing: float = 1.0) -> Vector:
    """The tool's rotation for a goal: z along the approach, y along the line on which the fingers open.

    Args:
        approach: unit vector, shape (3,).
        yaw: turn about the vertical axis [rad].
        facing: 1 or -1, which of the two equal turns of a parallel gripper is meant.

    Returns:
        shape (3, 3).
    """
    z = approach / norm(approach)
    across = np.array([math.sin(yaw), -math.cos(yaw), 0.0]) * facing
    y = across - z * float(z @ across)
    if float(y @ y) < 1e-6:  # it points along its own fingers' line: let them open vertically
        y = np.array([0.0, 0.0, 1.0]) - z * z[2]
    y = y / norm(y)
    x = np.array([y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]])
    return np.array([x, y, z]).T
