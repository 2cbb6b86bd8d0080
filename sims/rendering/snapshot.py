"""Snapshot of a simulation: the poses of all bodies as one array, for a copy built from the same seed."""

from __future__ import annotations

import numpy as np

from embodied.errors import WorldFailed
from embodied.messages import Vector
from sims.bullet import Bullet

_BASE = 7  # values of a base: position and quaternion


def snapshot(bullet: Bullet) -> Vector:
    """Take a snapshot: of each body its base, position [m] and quaternion (x, y, z, w), and its joints [rad] or [m]."""
    values: list[float] = []
    for body in _bodies(bullet):
        position, orientation = bullet.getBasePositionAndOrientation(body)
        values += position
        values += orientation
        count = bullet.getNumJoints(body)
        if count:
            values += [state[0] for state in bullet.getJointStates(body, range(count))]
    return np.array(values)


def show(bullet: Bullet, state: Vector) -> None:
    """Move every body of a copy to its pose in a snapshot of the same bodies.

    Raises:
        WorldFailed: the snapshot is of other bodies.
    """
    values = state.tolist()
    at = 0
    for body in _bodies(bullet):
        count = bullet.getNumJoints(body)
        if at + _BASE + count > len(values):
            raise WorldFailed("the snapshot is of a world with fewer bodies")
        bullet.resetBasePositionAndOrientation(body, values[at : at + 3], values[at + 3 : at + _BASE])
        at += _BASE
        for joint in range(count):
            bullet.resetJointState(body, joint, values[at + joint])
        at += count
    if at != len(values):
        raise WorldFailed("the snapshot is of a world with more bodies")


def _bodies(bullet: Bullet) -> list[int]:
    return [bullet.getBodyUniqueId(index) for index in range(bullet.getNumBodies())]
