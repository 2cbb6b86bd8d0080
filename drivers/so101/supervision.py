"""Supervision of an SO-101's servos: what another program, a restart or a lost turn has changed since they were armed.

Three things must be as they were when the arm was armed: whether a servo controls its position and is on, the offset
with which it counts, and its goal, which must be one that this driver has sent. And a joint cannot be beyond its stops:
where it is measured there, its servo counts another turn, or from another zero.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from drivers.so101 import jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.servo_state import POSITION_MODE, ServoState
from drivers.so101.servos import GRIPPER, NAMES
from embodied.guards.command_check import joint_range_problem
from embodied.messages import Vector
from embodied.robot import Robot

RANGE_SLACK = 0.1
"""Distance beyond its stop at which a joint may be measured [rad]: gears and printed parts give way."""

ASSEMBLY_SLACK = math.radians(10)
"""Distance by which calibrated stops may lie beyond the described ones [rad]: arms are printed and assembled."""


class JointRanges:
    """Ranges in which the five joints and the jaw of an arm can be, by its calibration and its description.

    Args:
        robot: description of the arm.
        calibration: calibration by joint, and of `gripper`.
    """

    def __init__(self, robot: Robot, calibration: Mapping[str, JointCalibration]) -> None:
        try:
            stops = dict(robot.stops)
        except ValueError:
            stops = {name: (joint.lower, joint.upper) for name, joint in robot.joints.items()}
        stops[GRIPPER] = (jaw.CLOSED, jaw.OPEN)
        ends = [_ends(stops[name], calibration.get(name)) for name in NAMES]
        self._lower: Vector = np.array([lower for lower, _ in ends]) - RANGE_SLACK
        self._upper: Vector = np.array([upper for _, upper in ends]) + RANGE_SLACK

    def problem(self, angles: Vector) -> str:
        """Return which angles, shape (6,) [rad], are impossible, and what to do; empty if none is."""
        if ((self._lower <= angles) & (angles <= self._upper)).all():
            return ""
        text = joint_range_problem(angles, self._lower, self._upper, NAMES)
        return f"{text}: its servo counts another turn or has another offset; calibrate the arm again"


def _ends(stops: tuple[float, float], calibration: JointCalibration | None) -> tuple[float, float]:
    if calibration is None:
        return stops
    return max(stops[0] - ASSEMBLY_SLACK, calibration.lower), min(stops[1] + ASSEMBLY_SLACK, calibration.upper)


def changed_settings(states: Sequence[ServoState], offsets: Sequence[int]) -> str:
    """Return which servos have another mode or offset than when they were identified; empty if none has.

    Args:
        states: states of all six.
        offsets: their offsets when they were identified [ticks].
    """
    return "; ".join(_changes(states, offsets))


def interference(states: Sequence[ServoState], sent: Collection[Sequence[int]]) -> str:
    """Return which armed servos are off or have a goal that was not sent, and why; empty if none is.

    Args:
        states: states of all six.
        sent: goals that were sent last and before, of all six each.
    """
    return "; ".join(_interferences(states, sent))


def _changes(states: Sequence[ServoState], offsets: Sequence[int]) -> Iterator[str]:
    for name, state, offset in zip(NAMES, states, offsets, strict=True):
        if state.mode != POSITION_MODE:
            yield f"the servo of {name} is in mode {state.mode}, and must be in mode 0 to control its position"
        if state.offset != offset:
            yield (
                f"the offset of the servo of {name} was {offset} ticks, and is {state.offset}: another program has "
                "changed it, so its calibration no longer holds"
            )


def _interferences(states: Sequence[ServoState], sent: Collection[Sequence[int]]) -> Iterator[str]:
    for index, (name, state) in enumerate(zip(NAMES, states, strict=True)):
        if not state.torque:
            yield f"the motor of {name} is off: its servo has restarted, or another program has switched it off"
        elif all(state.goal != goals[index] for goals in sent):
            yield f"the servo of {name} has the goal {state.goal}, which was not sent: another program commands it"
