"""Description of a pose, and of the motion of each joint, for the person who holds the arm."""

from __future__ import annotations

import math

import numpy as np

from drivers.so101 import jaw
from drivers.so101.servos import GRIPPER, NAMES
from embodied.messages import Vector
from embodied.robot import Robot

SIDES = (("forwards", "backwards"), ("to the left", "to the right"), ("up", "down"))
"""Words for the positive and the negative direction of each axis of the base: x forwards, y to the left, z up."""

OPENS = ("forwards and backwards", "to both sides", "up and down")
"""Words for both directions of each axis."""

SECOND_SHARE = 0.5
"""Share of the largest component at which another component of a direction is named too."""

STEP = 1e-4
"""Step of a joint for the numeric derivative of the hand's position [rad]."""

TURNING_LIMIT = 0.03
"""Motion of the hand below which a joint is described as turning it [m/rad]."""


def stated_pose(robot: Robot) -> dict[str, float]:
    """Return the described pose that a person puts the arm into: each joint at home, and the jaw closed [rad]."""
    return dict(zip(NAMES, [*robot.limit("home").tolist(), jaw.CLOSED], strict=True))


def pose_lines(robot: Robot) -> list[str]:
    """Describe the stated pose in words, one line for each part of it."""
    tool = robot.chain.tool(robot.limit("home"))
    x, y, z = 100 * tool[:3, 3]
    beside = "" if abs(y) < 0.5 else f", {abs(y):.0f} cm {SIDES[1][int(y < 0)]}"
    return [
        f"  the fingertips {x:.0f} cm before the middle of the base and {z:.0f} cm above the table{beside}",
        f"  the hand points {_towards(tool[:3, 2])}, its fingers open {OPENS[np.abs(tool[:3, 1]).argmax()]}",
        *(
            f"  {name:14} {math.degrees(angle):+6.1f}°" + (", closed" if name == GRIPPER else "")
            for name, angle in stated_pose(robot).items()
        ),
    ]


def motion_text(robot: Robot, joint: str, upper: bool) -> str:
    """Describe how the hand moves from the stated pose while a joint moves to its upper or lower stop."""
    if joint == GRIPPER:
        return "it opens" if upper else "it closes"
    sign = 1 if upper else -1
    home = robot.limit("home")
    moved = home.copy()
    moved[list(robot.joints).index(joint)] += STEP
    before, after = robot.chain.tool(home), robot.chain.tool(moved)
    velocity = sign * (after - before)[:3, 3] / STEP
    if np.linalg.norm(velocity) >= TURNING_LIMIT:
        return f"the hand goes {_towards(velocity)}"
    # The skew-symmetric part of a small rotation is its axis.
    skew = sign * (after[:3, :3] @ before[:3, :3].T - np.eye(3))
    axis = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
    return f"the hand turns {'clockwise' if axis @ before[:3, 2] > 0 else 'anticlockwise'}, seen from the arm"


def _towards(direction: Vector) -> str:
    largest = np.abs(direction).max()
    order = np.argsort(-np.abs(direction))
    named = [axis for axis in order if abs(direction[axis]) >= SECOND_SHARE * largest]
    return " and ".join(SIDES[axis][int(direction[axis] < 0)] for axis in named)
