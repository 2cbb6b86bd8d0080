"""Body of a robot for simulated worlds, as data: model file, gripper, wrist camera, gains, worktable."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from embodied.ranges import Range, positive
from embodied.robot.stroke import JawStroke, LinearStroke, MeasuredStroke, ParallelogramStroke, Stroke
from embodied.robot.worktable import Worktable

Colour = tuple[float, float, float, float]
"""Red, green, blue and opacity, 0 to 1."""


@dataclass(frozen=True)
class Gripper:
    """Parallel gripper: its drive joints, the linkage behind them, and one kind of stroke.

    Attributes:
        drives: joints with a motor.
        fingers: links that touch the object.
        force: limit of each drive's motor [N] or [N·m].
        followers: joints that a linkage couples to the first drive: name -> ratio.
        stiff: share of the linkage's error that is corrected in one step, 0 to 1.
        linear: stroke of fingers on rails.
        parallelogram: stroke of fingers on turning knuckles.
        jaw: stroke of one pivoting jaw.
        measured: stroke measured at some positions.
    """

    drives: tuple[str, ...]
    fingers: tuple[str, ...]
    force: float
    followers: dict[str, float] = field(default_factory=dict)
    stiff: float = 0.2
    linear: LinearStroke | None = None
    parallelogram: ParallelogramStroke | None = None
    jaw: JawStroke | None = None
    measured: MeasuredStroke | None = None

    def __post_init__(self) -> None:
        positive("N or N·m").require(force=self.force)
        Range(0, 1).require(stiff=self.stiff)
        if not self.drives or not self.fingers:
            raise ValueError("a gripper needs one drive and one finger or more")
        if len(self._strokes()) != 1:
            raise ValueError("a gripper needs exactly one of linear, parallelogram, jaw and measured")

    def _strokes(self) -> list[Stroke]:
        choices = (self.linear, self.parallelogram, self.jaw, self.measured)
        return [stroke for stroke in choices if stroke is not None]

    @property
    def stroke(self) -> Stroke:
        """Stroke of its drives, whichever kind it is."""
        return self._strokes()[0]


@dataclass(frozen=True)
class WristMount:
    """Place of a wrist camera on a link of a robot's body.

    Attributes:
        link: link that carries the camera.
        position: position of its optical centre in the link's frame [m].
        rpy: roll, pitch and yaw of its optical frame in the link's [rad].
    """

    link: str
    position: tuple[float, float, float]
    rpy: tuple[float, float, float]


@dataclass(frozen=True)
class Body:
    """Body of a robot for simulated worlds.

    Attributes:
        model: URDF with meshes, collision shapes and inertias; its links and joints have the names that the robot's
            own URDF has. `package://NAME/…` is looked for in the folders around, as ROS does, and in Python's packages.
        gripper: gripper at its end.
        wrist: place of its camera.
        iterations: iterations of the contact solver that a firm grasp needs.
        gain: share of the position error that the joint servos correct in one physics step at 300 Hz.
        worktable: sizes and places of the table it works at.
        colours: colours of links by name, in place of those of the model file.
        coarse: links whose visual mesh is simplified on a grid of this size [m]; the others show their collision mesh.
    """

    model: Path
    gripper: Gripper
    wrist: WristMount
    iterations: int = 100
    gain: float = 0.3
    worktable: Worktable = field(default_factory=Worktable)
    colours: dict[str, Colour] = field(default_factory=dict)
    coarse: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Range(1, 1000).require(iterations=self.iterations)
        Range(0, 1, includes="(]").require(gain=self.gain)
        for link, size in self.coarse.items():
            positive("m").require(**{f"coarse of {link}": size})
