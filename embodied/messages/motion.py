"""Joints, grippers, poses, twists and goals. Axes and units follow REP-103: metres, radians, x forward, z up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from embodied.clock import Time
from embodied.messages.schema import Array, Command, Message, Unit, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class JointState(Message):
    """Measured joints, in the order of the robot's description. Prismatic joints count in [m], [m/s] and [N]."""

    position: Annotated[Vector, Array("n", "rad")]
    velocity: Annotated[Vector, Array("n", "rad/s")]
    effort: Annotated[Vector, Array("n", "N·m")] | None = None
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class JointCommand(Command):
    """Where the joints should go; a driver declares which of the modes it takes. `gripper` is the opening."""

    position: Annotated[Vector, Array("n", "rad")] | None = None
    velocity: Annotated[Vector, Array("n", "rad/s")] | None = None
    effort: Annotated[Vector, Array("n", "N·m")] | None = None
    gripper: Annotated[float, Unit("m")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GripperState(Message):
    """Measured opening of a parallel gripper, its speed (opening is positive) and the force on its fingers."""

    width: Annotated[float, Unit("m")]
    speed: Annotated[float, Unit("m/s")]
    force: Annotated[float, Unit("N")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose(Message):
    """A pose in a named frame; the quaternion is (x, y, z, w) and of unit length."""

    position: Annotated[Vector, Array("3", "m")]
    orientation: Annotated[Vector, Array("4")]
    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Twist(Message):
    """Linear and angular velocity, expressed in a named frame."""

    linear: Annotated[Vector, Array("3", "m/s")]
    angular: Annotated[Vector, Array("3", "rad/s")]
    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal(Message):
    """Where the tool should be, in words that every arm understands.

    Attributes:
        position: of the tool centre [m].
        approach: unit vector along which the tool points, (0, 0, -1) is straight down.
        yaw: turn of the gripper about the vertical axis; at 0 its fingers open along y of the frame [rad].
        gripper: opening [m].
        frame: of all of these.
    """

    position: Annotated[Vector, Array("3", "m")]
    approach: Annotated[Vector, Array("3")]
    yaw: Annotated[float, Unit("rad")]
    gripper: Annotated[float, Unit("m")]
    frame: str
