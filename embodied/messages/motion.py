"""Messages of motion: joints, grippers, poses, twists, goals. REP-103: metres, radians, x forward, z up."""

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
    """Command to joints; a driver declares which of the modes it accepts. `gripper` is the opening."""

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
    """Goal of a tool, independent of the arm.

    Attributes:
        position: of the tool centre [m].
        approach: unit vector along which the tool points, (0, 0, -1) is straight down.
        yaw: turn of the gripper about the vertical axis; at 0 its fingers open along y of the frame [rad].
        gripper: opening of the gripper [m].
        frame: of position, approach and yaw.
    """

    position: Annotated[Vector, Array("3", "m")]
    approach: Annotated[Vector, Array("3")]
    yaw: Annotated[float, Unit("rad")]
    gripper: Annotated[float, Unit("m")]
    frame: str
