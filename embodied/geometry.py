"""Rotations and rigid transforms: matrices, quaternions, rotation vectors, roll-pitch-yaw; and names of frames."""

from __future__ import annotations

import math

import numpy as np

from embodied.messages.schema import Vector

BASE = "base"
"""Frame of a robot's base link, in which detections, goals and tool poses are given."""

_IDENTITY = np.eye(3)


def norm(vector: Vector) -> float:
    """Return the Euclidean length of a vector."""
    return math.sqrt(float(vector @ vector))


def rotation_vector(rotation: Vector) -> Vector:
    """Convert a rotation matrix (3, 3) to axis times angle (3,) [rad]; the angle is in [0, pi]."""
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


def cross(a: Vector, b: Vector) -> Vector:
    """Return the cross product of two vectors (3,), equal to that of `np.cross` to the bit, and much faster."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def cross_matrix(vector: Vector) -> Vector:
    """Return the skew-symmetric matrix (3, 3) of a vector (3,): times another vector it is the cross product."""
    x, y, z = vector.tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def rotation_matrix(vector: Vector) -> Vector:
    """Convert axis times angle (3,) [rad] to a rotation matrix (3, 3), by Rodrigues' formula."""
    x, y, z = vector.tolist()
    angle = math.sqrt(x * x + y * y + z * z)
    skew = cross_matrix(vector)
    around, across = 1.0, 0.5
    if angle > 1e-9:
        around, across = math.sin(angle) / angle, (1.0 - math.cos(angle)) / (angle * angle)
    turned: Vector = _IDENTITY + around * skew + across * np.matmul(skew, skew)
    return turned


def transform(xyz: tuple[float, ...], rpy: tuple[float, ...]) -> Vector:
    """Return a homogeneous transform (4, 4) of a translation [m] and fixed-axis roll, pitch, yaw [rad], as in URDF."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr, xyz[0]],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr, xyz[1]],
            [-sp, cp * sr, cp * cr, xyz[2]],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


def roll_pitch_yaw(rotation: Vector) -> Vector:
    """Convert a rotation matrix (3, 3) to fixed-axis roll, pitch, yaw (3,) [rad]; yaw is 0 if x is vertical."""
    r = rotation
    pitch = math.atan2(-r[2, 0], math.hypot(r[0, 0], r[1, 0]))
    if abs(math.cos(pitch)) < 1e-6:
        return np.array([math.atan2(-r[1, 2], r[1, 1]), pitch, 0.0])
    return np.array([math.atan2(r[2, 1], r[2, 2]), pitch, yaw_angle(r)])


def yaw_angle(rotation: Vector) -> float:
    """Return the heading of the x axis of a rotation matrix (3, 3), about the vertical from x [rad]."""
    return math.atan2(float(rotation[1, 0]), float(rotation[0, 0]))


def yaw_quaternion(yaw: float) -> tuple[float, float, float, float]:
    """Return the quaternion (x, y, z, w) of a turn about the vertical [rad]."""
    return 0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)


def quaternion(rotation: Vector) -> Vector:
    """Convert a rotation matrix (3, 3) to a unit quaternion (x, y, z, w), w >= 0, by Shepperd's method."""
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
    """Convert a unit quaternion (x, y, z, w) to a rotation matrix (3, 3)."""
    x, y, z, w = quaternion.tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def pose_matrix(position: Vector, orientation: Vector) -> Vector:
    """Return a homogeneous transform (4, 4) from a position (3,) [m] and a unit quaternion (x, y, z, w)."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(orientation)
    matrix[:3, 3] = position
    return matrix


def pose_matrices(positions: Vector, orientations: Vector) -> Vector:
    """Return homogeneous transforms (k, 4, 4) from positions (k, 3) [m] and unit quaternions (k, 4)."""
    x, y, z, w = orientations.T
    matrices = np.zeros((len(orientations), 4, 4))
    entries = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    for i, row in enumerate(entries):
        for j, entry in enumerate(row):
            matrices[:, i, j] = entry
    matrices[:, :3, 3] = positions
    matrices[:, 3, 3] = 1.0
    return matrices


def tool_rotation(approach: Vector, yaw: float, facing: float = 1.0) -> Vector:
    """Return the rotation (3, 3) of a tool: z along the approach, y along the line on which the fingers open.

    Args:
        approach: direction of the approach, shape (3,).
        yaw: turn about the vertical axis [rad].
        facing: 1 or -1, to choose one of the two equivalent turns of a parallel gripper.
    """
    z = approach / norm(approach)
    across = np.array([math.sin(yaw), -math.cos(yaw), 0.0]) * facing
    y = across - z * float(z @ across)
    if float(y @ y) < 1e-6:  # approach along the fingers' own line: let them open vertically
        y = np.array([0.0, 0.0, 1.0]) - z * z[2]
    y = y / norm(y)
    x = np.array([y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]])
    return np.array([x, y, z]).T
