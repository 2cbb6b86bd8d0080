"""Why a command is not sent, in one sentence; whatever is refused is refused whole."""

from __future__ import annotations

import numpy as np

from embodied.messages import JointCommand
from embodied.robot import Robot

SLACK = 1e-6
"""What is outside a limit by less than this is so by rounding [rad], [m]."""


def refusal(command: JointCommand, robot: Robot) -> str:
    """Why a robot's servos are not told a command; empty if they are.

    Args:
        command: of positions, of an opening, or of both.
        robot: whose limits.
    """
    position, gripper = command.position, command.gripper
    if command.velocity is not None or command.effort is not None:
        return "refused: it takes positions alone"
    if gripper is not None and not -SLACK <= gripper <= robot.opening + SLACK:
        return f"refused: the gripper opens from 0 to {robot.opening} m, not {gripper}"
    if position is None:
        return ""
    if position.shape != (len(robot.joints),):
        return f"refused: {position.size} joints, and it has {len(robot.joints)}"
    if not np.isfinite(position).all():
        return f"refused: {position.tolist()} rad is not finite"
    outside = (position < robot.limit("lower") - SLACK) | (position > robot.limit("upper") + SLACK)
    names = [name for name, out in zip(robot.joints, outside, strict=True) if out]
    return f"refused: {np.round(position, 4).tolist()} rad is outside the limits of {', '.join(names)}" if names else ""
