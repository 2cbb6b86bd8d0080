"""Check of a command to an SO-101 against its joints' ranges and its gripper's; it is sent or refused as a whole."""

from __future__ import annotations

from embodied.guards.command_check import joint_problem, joint_range_problem
from embodied.messages import JointCommand
from embodied.ranges import Range
from embodied.robot import Robot

SLACK = 1e-6
"""Excess over a limit that counts as rounding [rad], [m]."""


def refusal(command: JointCommand, robot: Robot) -> str:
    """Return the reason to refuse a command to an SO-101; empty if it may be sent.

    Args:
        command: command to check: positions, an opening, or both.
        robot: robot whose limits apply.
    """
    problem = joint_problem(command, "position", len(robot.joints))
    if not problem and command.position is not None:
        lower, upper = robot.limit("lower") - SLACK, robot.limit("upper") + SLACK
        problem = joint_range_problem(command.position, lower, upper, tuple(robot.joints))
    gripper = command.gripper
    if not problem and gripper is not None and not -SLACK <= gripper <= robot.opening + SLACK:
        problem = next(Range(0, robot.opening, "m").problems(gripper=gripper))
    return f"refused: {problem}" if problem else ""
