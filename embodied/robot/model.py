"""Robot: joints with their limits, a tool, and forward kinematics from its URDF.

The kinematics here is the guard's own, in numpy alone, so that the last check before a device depends on nothing that a
policy uses. Joint axes and origins are read from the URDF (wiki.ros.org/urdf/XML/joint); limits stand in the launch
file, because a cell often allows less than the maker does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from embodied.geometry import cross_matrix, transform
from embodied.messages.schema import Vector
from embodied.ranges import positive
from embodied.robot import urdf
from embodied.robot.body import Body

_LIMIT_SLACK = 1e-3
"""Excess of a limit over that of the URDF that is rounding: 2π may be written as 6.2832 [rad], [rad/s]."""


@dataclass(frozen=True, slots=True)
class Joint:
    """Limits of one joint of a robot, and its position at home."""

    lower: float  # [rad]
    upper: float  # [rad]
    velocity: float  # [rad/s]
    acceleration: float  # [rad/s²]
    effort: float  # [N·m]
    home: float  # [rad]


@dataclass(frozen=True, slots=True)
class Tool:
    """Tool centre point of a robot: its pose in a link. Its z points out of the hand, its fingers open along y."""

    link: str
    position: tuple[float, float, float]  # [m]
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)  # [rad]


@dataclass(frozen=True)
class Robot:
    """Robot: an arm with a parallel gripper.

    Attributes:
        name: of the robot in launch files.
        urdf: file with joint axes and origins; meshes are not needed.
        base: link whose frame is the robot's base.
        tool: tool centre point.
        joints: limits by joint name, from the base to the tool.
        opening: widest opening of the gripper [m].
        body: its body in simulated worlds.
    """

    name: str
    urdf: Path
    base: str
    tool: Tool
    joints: dict[str, Joint]
    opening: float  # [m]
    body: Body | None = None

    def __post_init__(self) -> None:
        positive("m").require(opening=self.opening)
        for name, joint in self.joints.items():
            if not joint.lower < joint.upper or min(joint.velocity, joint.acceleration, joint.effort) <= 0:
                raise ValueError(f"the limits of {name} allow no motion")
            if not joint.lower <= joint.home <= joint.upper:
                raise ValueError(f"home of {name} must be in [{joint.lower}, {joint.upper}], got {joint.home}")

    def limit(self, which: str) -> Vector:
        """Return one attribute of every joint, in order.

        Args:
            which: `lower`, `upper`, `velocity`, `acceleration`, `effort` or `home`.

        Returns:
            shape (n,), in the unit of that attribute.
        """
        return np.array([getattr(joint, which) for joint in self.joints.values()], dtype=np.float64)

    @cached_property
    def chain(self) -> Chain:
        """Kinematic chain from the base to the tool centre.

        Raises:
            ValueError: the URDF cannot be read, or does not lead from the base over just these joints to the tool.
        """
        return Chain.read(self)

    @cached_property
    def stops(self) -> dict[str, tuple[float, float]]:
        """Mechanical stops of each joint by the URDF, whatever the launch file allows [rad].

        Raises:
            ValueError: the URDF cannot be read, or has no limits of a joint.
        """
        known = urdf.stops(self.urdf)
        for name in self.joints:
            if name not in known:
                raise ValueError(f"{self.urdf.name} has no limits of joint '{name}'")
        return {name: known[name] for name in self.joints}

    def excesses(self) -> Iterator[str]:
        """Yield a sentence for each limit beyond that of the URDF: a guard would move the joint into its stop.

        Raises:
            ValueError: the URDF cannot be read.
        """
        stops, velocities = urdf.stops(self.urdf), urdf.velocities(self.urdf)
        for name, joint in self.joints.items():
            lower, upper = stops.get(name, (-math.inf, math.inf))
            fastest = velocities.get(name, math.inf)
            for limit, value, end, beyond, unit in (
                ("lower", joint.lower, lower, lower - joint.lower, "rad"),
                ("upper", joint.upper, upper, joint.upper - upper, "rad"),
                ("velocity", joint.velocity, fastest, joint.velocity - fastest, "rad/s"),
            ):
                if beyond > _LIMIT_SLACK:
                    yield (
                        f"{limit} of {name} is {value:g} {unit}, beyond the {end:g} {unit} of {self.urdf.name}: "
                        "write radians, or correct the URDF if it is wrong"
                    )

    @property
    def kinematics(self) -> str:
        """URDF of the chain from base to tool link alone, for another library; its joints are those of `chain`.

        Raises:
            ValueError: the URDF cannot be read, or does not lead from the base over just these joints to the tool.
        """
        _ = self.chain
        return urdf.kinematics(urdf.chain(self.urdf, self.base, self.tool.link))


class Chain:
    """Forward kinematics of a robot's serial chain, by products of homogeneous transforms."""

    def __init__(self, origins: list[Vector], axes: list[Vector], prismatic: list[bool], tip: Vector) -> None:
        self._tip = tip
        # Rodrigues: R = I + sin(q)·K + (1 - cos(q))·K², with K the cross-product matrix of the axis; so a joint's
        # transform is the sum of four fixed matrices, of which the last, times q, is for prismatic joints.
        self._fixed = np.array(origins)
        self._sine, self._versine, self._slide = np.zeros((3, len(origins), 4, 4))
        for index, (axis, slides) in enumerate(zip(axes, prismatic, strict=True)):
            if slides:
                self._slide[index, :3, 3] = self._fixed[index, :3, :3] @ axis
                continue
            cross = cross_matrix(axis)
            self._sine[index, :3, :3] = self._fixed[index, :3, :3] @ cross
            self._versine[index, :3, :3] = self._fixed[index, :3, :3] @ cross @ cross

    @classmethod
    def read(cls, robot: Robot) -> Chain:
        """Read the chain of a robot from its URDF.

        Raises:
            ValueError: the URDF cannot be read, or does not lead from the base over just these joints to the tool.
        """
        joints = urdf.chain(robot.urdf, robot.base, robot.tool.link)
        moving = [joint.name for joint in joints if joint.kind != "fixed"]
        if moving != list(robot.joints):
            raise ValueError(f"{robot.urdf.name} moves {moving} between base and tool, not {list(robot.joints)}")
        origins: list[Vector] = []
        axes: list[Vector] = []
        prismatic: list[bool] = []
        fixed = np.eye(4)
        for joint in joints:
            fixed = fixed @ transform(joint.xyz, joint.rpy)
            if joint.kind == "fixed":
                continue
            axis = np.array(joint.axis)
            origins.append(fixed)
            axes.append(axis / np.linalg.norm(axis))
            prismatic.append(joint.kind == "prismatic")
            fixed = np.eye(4)
        return cls(origins, axes, prismatic, fixed @ transform(robot.tool.position, robot.tool.rpy))

    def tool(self, position: Vector) -> Vector:
        """Compute the pose of the tool centre in the base frame.

        Args:
            position: joint positions, shape (..., n) [rad], or [m] for prismatic ones.

        Returns:
            homogeneous transforms, shape (..., 4, 4).
        """
        tool: Vector = self._frames(position)[-1] @ self._tip
        return tool

    def points(self, position: Vector) -> Vector:
        """Compute joints and tool centre in the base frame: of a straight link, one end is always the fastest point.

        Args:
            position: joint positions, shape (..., n) [rad], or [m] for prismatic ones.

        Returns:
            shape (..., n + 1, 3) [m]: the origin of each joint's frame, from the base on, and the tool centre.
        """
        frames = self._frames(position)
        return np.stack([frame[..., :3, 3] for frame in (*frames, frames[-1] @ self._tip)], axis=-2)

    def _frames(self, position: Vector) -> list[Vector]:
        """Compute the frame of each joint in the base frame."""
        q = position[..., None, None]
        moved = self._fixed + np.sin(q) * self._sine + (1.0 - np.cos(q)) * self._versine + q * self._slide
        frames = [moved[..., 0, :, :]]
        for index in range(1, len(self._fixed)):
            frames.append(frames[-1] @ moved[..., index, :, :])
        return frames
