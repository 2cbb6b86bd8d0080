"""What a command must be before anyone looks at where it leads: of the right mode and size, and finite."""

from __future__ import annotations

import numpy as np

from embodied.messages import JointCommand
from embodied.robot import Robot


def unfit(source: str, command: JointCommand, mode: str, robot: Robot) -> str:
    """Why a command cannot be followed.

    Args:
        source: who commands, for the sentence.
        command: what.
        mode: the one that is taken.
        robot: whose joints.

    Returns:
        a sentence; empty: it can.
    """
    joints = len(robot.joints)
    for given in ("position", "velocity", "effort"):
        values = getattr(command, given)
        if values is None:
            continue
        if given != mode:
            return f"{source} commands {given}, and this guard takes {mode}"
        if values.shape != (joints,):
            return f"{source} commands {values.size} joints, and {robot.name} has {joints}"
        if not np.isfinite(values).all():
            return f"{source} commands {given} {values.tolist()}, which is not finite"
    if command.gripper is not None and not np.isfinite(command.gripper):
        return f"{source} commands gripper {command.gripper}, which is not finite"
    return ""
