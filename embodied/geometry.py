"""Rotations between a matrix and a rotation vector."""

from __future__ import annotations

import math

import numpy as np

from embodied.messages.schema import Vector


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
