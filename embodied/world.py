"""What the hall asks of a simulated world, and of the bodies in it. Worlds live in `sims/`.

A world is a dataclass whose fields are settings, like a node. Physics advances in whole steps of its own rate. Nothing
outside `sims/` reads `truth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from embodied.clock import Time
from embodied.errors import WorldFailed
from embodied.messages import CameraInfo, GripperState, JointCommand, JointState


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run was judged.

    Attributes:
        passed: whether the task was done.
        reason: in one sentence, with the numbers that decided it.
        details: those numbers, by name.
    """

    passed: bool
    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a simulated camera saw; None for what was not asked for."""

    rgb: NDArray[np.uint8] | None  # (h, w, 3)
    depth: NDArray[np.float32] | None  # (h, w) [m]
    segmentation: NDArray[np.int32] | None  # (h, w)


class ArmBody(Protocol):
    """A simulated arm with a parallel gripper: what its motors and encoders do."""

    joints: tuple[str, ...]

    def read(self) -> tuple[JointState, GripperState]:
        """Measured joints and gripper, acquired at the world's time."""

    def command(self, command: JointCommand) -> JointCommand:
        """Set the motors' targets; they stand until the next call.

        Returns:
            what was really set, after the motors' own limits.
        """


class CameraBody(Protocol):
    """A simulated camera."""

    def vary(self, rng: np.random.Generator) -> None:
        """From now on exposure, colours, blur, distortion and noise are those of a camera that `rng` draws."""

    def info(self) -> CameraInfo:
        """True intrinsics and pose."""

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        """What it sees at the world's time. Rendering never changes the world."""


@runtime_checkable
class World(Protocol):
    """A simulated world.

    Attributes:
        rate: physics steps per second of simulated time [Hz].
    """

    rate: float

    def reset(self, seed: int) -> None:
        """Build everything anew from the seed; time is 0."""

    def advance(self, to: Time) -> None:
        """Make whole physics steps, to the last one not after `to` [ns]."""

    def arm(self, name: str) -> ArmBody:
        """The arm of that name.

        Raises:
            WorldFailed: there is none; the error names those there are.
        """

    def camera(self, name: str, *, width: int = 320, height: int = 240) -> CameraBody:
        """The camera of that name, with images of a size [px].

        Raises:
            WorldFailed: there is none; the error names those there are.
        """

    def about(self) -> Mapping[str, str]:
        """What its pictures depend on beside the seed: names and versions of renderers; they are part of a digest."""

    def truth(self) -> Mapping[str, Any]:
        """The true state, for judges, trainers and the explicit `truth` profile."""

    def verdict(self) -> Verdict | None:
        """How the run is judged, as soon as that is decided; None before."""

    def close(self) -> None:
        """Give everything back."""


def told_in(camera: CameraBody, name: str, frame: str) -> None:
    """Make sure of the frame in which a camera tells its pose.

    Args:
        camera: of a world.
        name: of that.
        frame: the base of the robot, or the body that carries it.

    Raises:
        WorldFailed: it tells it in another.
    """
    told = camera.info().frame
    if told != frame:
        raise WorldFailed(f"the camera '{name}' is given in the frame '{told}': write 'frame: {told}'")
