"""The six servos of the arm: what is said in ticks on the bus is radians and metres everywhere else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drivers.so101 import jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from embodied.messages import Vector
from embodied.node.identity import JointRange

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
"""Of the arm, from the base on; their servos have the ids 1 to 5."""

GRIPPER = "gripper"
NAMES = (*JOINTS, GRIPPER)
IDS = tuple(range(1, 1 + len(NAMES)))


class Servos:
    """Ticks of all six, by an arm's calibration.

    Args:
        calibration: by joint, and of `gripper`; who is missing has its zero in the middle of its servo's turn.
    """

    def __init__(self, calibration: Mapping[str, JointCalibration]) -> None:
        self._each = [calibration.get(name, JointCalibration()) for name in NAMES]
        self._sign = np.array([each.sign for each in self._each], dtype=np.float64)
        self._offset = np.array([each.offset for each in self._each])

    def ticks(self, position: Vector, opening: float) -> Vector:
        """Where the servos are, shape (6,), at a position of the joints, shape (5,) [rad], and an opening [m]."""
        return self.turns(np.append(position, jaw.angle(opening)))

    def turns(self, angles: Vector) -> Vector:
        """Where the servos are, shape (6,), at angles of the five joints and of the jaw, shape (6,) [rad]."""
        turned: Vector = self._offset + self._sign * angles
        return MIDDLE + turned / TICK

    def angles(self, ticks: Vector) -> Vector:
        """Angles of the five joints and of the jaw, shape (6,) [rad], at the servos' ticks."""
        angles: Vector = self._sign * ((ticks - MIDDLE) * TICK - self._offset)
        return angles

    def turned(self, values: Vector) -> Vector:
        """Speeds or torques of the servos as those of the joints and the jaw, or the other way, shape (6,)."""
        return self._sign * values

    def limits(self, lower: Vector, upper: Vector) -> list[tuple[int, int]]:
        """Lowest and highest tick of each servo, rounded outwards, between two positions and in the jaw's range."""
        ends = np.array((np.append(lower, jaw.CLOSED), np.append(upper, jaw.OPEN)))
        ticks = np.sort(MIDDLE + (self._offset + self._sign * ends) / TICK, axis=0)
        low, high = np.floor(ticks[0]).clip(0), np.ceil(ticks[1]).clip(max=TICKS - 1)
        return [(int(a), int(b)) for a, b in zip(low, high, strict=True)]

    def range(self, joint: int, lowest: int, highest: int, velocity: float) -> JointRange:
        """How far a joint goes, by the limits in its servo and by its calibration.

        Args:
            joint: its number.
            lowest: tick below which the servo does not go.
            highest: above which it does not.
            velocity: the most that it does [rad/s].
        """
        each = self._each[joint]
        ends = sorted(each.sign * ((tick - MIDDLE) * TICK - each.offset) for tick in (lowest, highest))
        return JointRange(lower=max(ends[0], each.lower), upper=min(ends[1], each.upper), velocity=velocity)
