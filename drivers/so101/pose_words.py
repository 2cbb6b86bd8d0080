"""Where an arm is, and where its joints take it, in words for who holds it: x is forwards, y to the left, z up."""

from __future__ import annotations

import math

import numpy as np

from drivers.so101 import jaw
from drivers.so101.servos import GRIPPER, NAMES
from embodied.messages import Vector
from embodied.robot import Robot

SIDES = (("forwards", "backwards"), ("to the left", "to the right"), ("up", "down"))
"""Along each axis of the base, and against it."""

OPENS = ("forwards and backwards", "to both sides", "up and down")
"""The same for what goes both ways."""

SHARE = 0.5
"""A direction has a second word where that part of it is at least this share of the largest."""

STEP = 1e-4
"""By so much a joint is moved to see where it takes the hand [rad]."""

STILL = 0.03
"""A joint that moves the hand by less turns it [m/rad]."""


def stated(robot: Robot) -> dict[str, float]:
    """The pose in which a person puts an arm: each joint at home, and the jaw closed [rad]."""
    return dict(zip(NAMES, [*robot.limit("home").tolist(), jaw.CLOSED], strict=True))


def pose(robot: Robot) -> list[str]:
    """The same in words, a line each."""
    tool = robot.chain.tool(robot.limit("home"))
    x, y, z = 100 * tool[:3, 3]
    beside = "" if abs(y) < 0.5 else f", {abs(y):.0f} cm {SIDES[1][int(y < 0)]}"
    return [
        f"  the fingertips {x:.0f} cm before the middle of the base and {z:.0f} cm above the table{beside}",
        f"  the hand points {_towards(tool[:3, 2])}, its fingers open {OPENS[np.abs(tool[:3, 1]).argmax()]}",
        *(
            f"  {name:14} {math.degrees(angle):+6.1f}°" + (", closed" if name == GRIPPER else "")
            for name, angle in stated(robot).items()
        ),
    ]


def way(robot: Robot, joint: str, upper: bool) -> str:
    """Where the hand goes from the pose while a joint goes to one of its stops."""
    if joint == GRIPPER:
        return "it opens" if upper else "it closes"
    sign = 1 if upper else -1
    home = robot.limit("home")
    moved = home.copy()
    moved[list(robot.joints).index(joint)] += STEP
    before, after = robot.chain.tool(home), robot.chain.tool(moved)
    goes = sign * (after - before)[:3, 3] / STEP
    if np.linalg.norm(goes) >= STILL:
        return f"the hand goes {_towards(goes)}"
    # Of a small rotation, the part that is skew has its axis.
    skew = sign * (after[:3, :3] @ before[:3, :3].T - np.eye(3))
    axis = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
    return f"the hand turns {'clockwise' if axis @ before[:3, 2] > 0 else 'anticlockwise'}, seen from the arm"


def _towards(direction: Vector) -> str:
    largest = np.abs(direction).max()
    order = np.argsort(-np.abs(direction))
    named = [axis for axis in order if abs(direction[axis]) >= SHARE * largest]
    return " and ".join(SIDES[axis][int(direction[axis] < 0)] for axis in named)
