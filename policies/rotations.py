"""Rotations: the tool's for a goal, and between a matrix and a rotation vector."""

from __future__ import annotations

import math

import numpy as np

from embodied.messages import Vector


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
