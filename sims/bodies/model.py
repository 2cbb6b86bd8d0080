"""What differs between simulated arms: a model file, and how motors become a gripper's width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sims.bodies.worktable import Bench


@dataclass(frozen=True, eq=False)
class Gripper:
    """A parallel gripper, as its drive joints and the linkage behind them.

    Attributes:
        drives: joints with a motor.
        followers: joints that a linkage makes follow the first drive: name -> ratio.
        fingers: links that touch what is gripped.
        force: limit of each drive's motor [N] or [N·m].
        stiff: how much of the linkage's error is taken back in one step, 0 to 1.
        joint: the drives' position at a width [m].
        width: the width [m] at a drive's position.
        slope: change of width with a drive's position, in [m] per [m] or [rad].
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
class Mount:
    """Where a camera is fixed.

    Attributes:
        link: that carries it.
        position: of its optical centre in the link's frame [m].
        rpy: roll, pitch and yaw of its optical frame in the link's [rad].
    """

    link: str
    position: tuple[float, float, float]
    rpy: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ArmModel:
    """One arm.

    Attributes:
        urdf: model file, in pybullet_data or a whole path.
        packages: the folder in pybullet_data in which its `package://` paths begin.
        base: link whose frame is the robot's base.
        gripper: what is at its end.
        wrist: its own camera.
        iterations: solver iterations that a firm grasp needs.
        gain: share of the position error that the joint servos take back in one physics step at 300 Hz.
        bench: the table top it works at.
        colours: of links, by name, where the model file's own will not do (RGBA, 0 to 1).
        coarse: links whose visual mesh is redrawn on a grid of this size [m]; the others show their collision mesh.
    """

    urdf: str | Path
    base: str
    gripper: Gripper
    wrist: Mount
    iterations: int
    gain: float
    packages: str = ""
    bench: Bench = field(default_factory=Bench)
    colours: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    coarse: Mapping[str, float] = field(default_factory=dict)
