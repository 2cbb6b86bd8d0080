"""Model of a simulated arm as data: model file, gripper linkage, wrist camera, gains, worktable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sims.bodies.worktable import Worktable


@dataclass(frozen=True, eq=False)
class Gripper:
    """Model of an arm's parallel gripper: its drive joints and the linkage behind them.

    Attributes:
        drives: joints with a motor.
        followers: joints that a linkage couples to the first drive: name -> ratio.
        fingers: links that touch the object.
        force: limit of each drive's motor [N] or [N·m].
        stiff: share of the linkage's error that is corrected in one step, 0 to 1.
        joint: position of the drives at a width [m].
        width: width [m] at a position of the drives.
        slope: change of width with the position of the drives, in [m] per [m] or [rad].
    """

    drives: tuple[str, ...]
    followers: Mapping[str, float]
    fingers: tuple[str, ...]
    force: float
    stiff: float
    joint: Callable[[float], float]
    width: Callable[[float], float]
    slope: Callable[[float], float]


@dataclass(frozen=True, eq=False)
class WristMount:
    """Place of a wrist camera on a link of an arm's model.

    Attributes:
        link: link that carries the camera.
        position: position of its optical centre in the link's frame [m].
        rpy: roll, pitch and yaw of its optical frame in the link's [rad].
    """

    link: str
    position: tuple[float, float, float]
    rpy: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ArmModel:
    """Model of a simulated arm with its gripper and its wrist camera.

    Attributes:
        urdf: model file, in pybullet_data or an absolute path.
        packages: folder in pybullet_data in which its `package://` paths begin.
        base: link whose frame is the robot's base.
        gripper: gripper at its end.
        wrist: place of its camera.
        iterations: solver iterations that a firm grasp needs.
        gain: share of the position error that the joint servos correct in one physics step at 300 Hz.
        worktable: sizes and places of the table it works at.
        colours: colours of links by name, in place of those of the model file (RGBA, 0 to 1).
        coarse: links whose visual mesh is simplified on a grid of this size [m]; the others show their collision mesh.
    """

    urdf: str | Path
    base: str
    gripper: Gripper
    wrist: WristMount
    iterations: int
    gain: float
    packages: str = ""
    worktable: Worktable = field(default_factory=Worktable)
    colours: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    coarse: Mapping[str, float] = field(default_factory=dict)
