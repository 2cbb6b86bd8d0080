"""The tool's rotation for a goal."""

from __future__ import annotations

import math

import numpy as np

from embodied.geometry import norm
from embodied.messages import Vector


def tool_rotation(approach: Vector, yaw: float, facing: float = 1.0) -> Vector:
    """The tool's rotation for a goal: z along the approach, y along the line on which the fingers open.

    Args:
        approach: unit vector, shape (3,).
        yaw: turn about the vertical axis [rad].
        facing: 1 or -1, which of the two equal turns of a parallel gripper is meant.

    Returns:
        shape (3, 3).
    """
    z = approach / norm(approach)
    across = np.array([math.sin(yaw), -math.cos(yaw), 0.0]) * facing
    y = across - z * float(z @ across)
    if float(y @ y) < 1e-6:  # it points along its own fingers' line: let them open vertically
        y = np.array([0.0, 0.0, 1.0]) - z * z[2]
    y = y / norm(y)
    x = np.array([y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]])
    return np.array([x, y, z]).T
