"""Conversion between ticks of the six servos and radians of the joints and metres of the gripper, by calibration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drivers.so101 import jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from embodied.messages import Vector
from embodied.node.identity import JointRange

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
"""Joints of the arm from its base; their servos have the ids 1 to 5."""

GRIPPER = "gripper"
"""Name of the gripper, whose servo has the id 6."""

NAMES = (*JOINTS, GRIPPER)
"""Names of the joints and the gripper, in the order of their servos."""

IDS = tuple(range(1, 1 + len(NAMES)))
"""Ids of the servos."""


class ServoScale:
    """Conversion between ticks and radians or metres for all six servos of a calibrated arm.

    Args:
        calibration: calibration by joint, and of `gripper`; without one, zero is the middle of a servo's turn.
    """

    def __init__(self, calibration: Mapping[str, JointCalibration]) -> None:
        self._each = [calibration.get(name, JointCalibration()) for name in NAMES]
        self._sign = np.array([each.sign for each in self._each], dtype=np.float64)
        self._offset = np.array([each.offset for each in self._each])

    def ticks(self, position: Vector, opening: float) -> Vector:
        """Return the servos' ticks, shape (6,), at joint positions, shape (5,) [rad], and an opening [m]."""
        return self.to_ticks(np.append(position, jaw.angle(opening)))

    def to_ticks(self, angles: Vector) -> Vector:
        """Return the servos' ticks, shape (6,), at angles of the five joints and of the jaw, shape (6,) [rad]."""
        servo_angles: Vector = self._offset + self._sign * angles
        return MIDDLE + servo_angles / TICK

    def angles(self, ticks: Vector) -> Vector:
        """Return the angles of the five joints and of the jaw, shape (6,) [rad], at the servos' ticks."""
        angles: Vector = self._sign * ((ticks - MIDDLE) * TICK - self._offset)
        return angles

    def directed(self, values: Vector) -> Vector:
        """Convert speeds or torques, shape (6,), from the servos' direction to the joints', or back."""
        return self._sign * values

    def limits(self, lower: Vector, upper: Vector) -> list[tuple[int, int]]:
        """Return the limits of each servo [ticks], rounded outwards, from those of the joints [rad] and the jaw."""
        ends = np.array((np.append(lower, jaw.CLOSED), np.append(upper, jaw.OPEN)))
        ticks = np.sort(MIDDLE + (self._offset + self._sign * ends) / TICK, axis=0)
        low, high = np.floor(ticks[0]).clip(0), np.ceil(ticks[1]).clip(max=TICKS - 1)
        return [(int(a), int(b)) for a, b in zip(low, high, strict=True)]

    def range(self, joint: int, lowest: int, highest: int, velocity: float) -> JointRange:
        """Return the range of a joint by the limits of its servo and by its calibration.

        Args:
            joint: index of the joint.
            lowest: lower limit of its servo [ticks].
            highest: upper limit of its servo [ticks].
            velocity: largest speed of the joint [rad/s].
        """
        each = self._each[joint]
        ends = sorted(each.sign * ((tick - MIDDLE) * TICK - each.offset) for tick in (lowest, highest))
        return JointRange(lower=max(ends[0], each.lower), upper=min(ends[1], each.upper), velocity=velocity)
