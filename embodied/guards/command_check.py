"""Legality of commands for arms, drones and vehicles: mode, shape, finite values, no contradictions.

One text per rule, for guards and drivers alike. A guard applies its limits only to commands that pass; a driver adds
the limits of its own device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from embodied.messages import DroneCommand, JointCommand, VehicleCommand
from embodied.messages.schema import Vector

GEARS = ("P", "R", "N", "D")
"""Gears that a vehicle command may name."""


def joint_problem(command: JointCommand, mode: str, joints: int) -> str:
    """Return why a joint command is illegal to any guard or driver, as a sentence; empty if it is legal.

    Args:
        command: command to check.
        mode: the only field that may be set besides the gripper: `position`, `velocity` or `effort`.
        joints: number of joints.
    """
    for name in ("position", "velocity", "effort"):
        values = getattr(command, name)
        if values is None:
            continue
        if name != mode:
            return f"mode must be {mode}, got {name}"
        if problem := _vector_problem(name, values, joints):
            return problem
    return _number_problem("gripper", command.gripper)


def joint_range_problem(position: Vector, lower: Vector, upper: Vector, names: Sequence[str]) -> str:
    """Return which joint positions lie outside their ranges, as a sentence; empty if none does.

    Args:
        position: positions of the joints, shape (n,) [rad].
        lower: lower ends of the ranges, shape (n,) [rad].
        upper: upper ends of the ranges, shape (n,) [rad].
        names: names of the joints.
    """
    outside = np.flatnonzero((position < lower) | (position > upper)).tolist()
    return "; ".join(
        f"{names[i]} must be in [{lower[i]:.4g}, {upper[i]:.4g}] rad, got {position[i]:.4g}" for i in outside
    )


def drone_problem(command: DroneCommand) -> str:
    """Return why a drone command is illegal to any guard or driver, as a sentence; empty if it is legal."""
    for name, values in (("position", command.position), ("velocity", command.velocity)):
        if values is not None and (problem := _vector_problem(name, values, 3)):
            return problem
    if command.position is None and command.velocity is None and not command.land:
        return "position, velocity or land must be set, got none of them"
    return _number_problem("yaw", command.yaw)


def vehicle_problem(command: VehicleCommand) -> str:
    """Return why a vehicle command is illegal to any guard or driver, as a sentence; empty if it is legal."""
    for name in ("speed", "acceleration", "steering"):
        if problem := _number_problem(name, getattr(command, name)):
            return problem
    gear = command.gear
    if gear not in GEARS:
        return f"gear must be one of {', '.join(GEARS)}, got '{gear}'"
    if (command.speed > 0.0 and gear != "D") or (command.speed < 0.0 and gear != "R"):
        allowed = {"D": "at least 0", "R": "at most 0"}.get(gear, "0")
        return f"speed must be {allowed} m/s in gear {gear}, got {command.speed:g}"
    return ""


def _vector_problem(name: str, values: Vector, size: int) -> str:
    if values.shape != (size,):
        return f"{name} must have shape ({size},), got {values.shape}"
    return "" if np.isfinite(values).all() else f"{name} must be finite, got {values.tolist()}"


def _number_problem(name: str, value: float | None) -> str:
    return "" if value is None or math.isfinite(value) else f"{name} must be finite, got {value}"
