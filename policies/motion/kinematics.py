"""Inverse kinematics node: goals of the tool to joint positions, along a straight line at a bounded pace."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from embodied import SECOND, Node, Ports, tunable
from embodied.errors import ResultRejected
from embodied.geometry import BASE, norm, quaternion, rotation_matrix, rotation_vector, tool_rotation
from embodied.messages import Goal, JointCommand, JointState, Message, Pose, Unit, Vector
from embodied.ranges import Range, positive
from embodied.robot import Robot
from policies.motion.arm import Arm, Limits
from policies.motion.setpoint import Pace, pursue

WRIST_MARGIN = 0.2
"""Margin of the last joint to the ends of its range, for the error of its predicted angle [rad]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual(Message):
    """Report of the inverse kinematics node: distance of the tool at the commanded joints from the goal.

    At rest, it is the part that this arm cannot reach.
    """

    position: Annotated[float, Unit("m")]
    angle: Annotated[float, Unit("rad")]


class InverseKinematicsOutput(NamedTuple):
    """Output of `InverseKinematics`; `command` is None without a fresh goal, so that the guard holds."""

    command: JointCommand | None
    tcp: Pose
    residual: Residual | None


@dataclass
class InverseKinematics(Node):
    """Inverse kinematics: follow a goal with the tool, within the joints' position, velocity and acceleration limits.

    It runs on each new joint state; `tcp` is the pose of the tool at the measured joints. A set-point travels to the
    goal at the configured pace; joints are solved for it from the last commanded ones, or from the measured ones after
    a pause. Where a limit stops the joints, the set-point waits for them.
    """

    robot: Robot
    speed: float = tunable(0.5, low=0.01, high=2.0, unit="m/s")
    acceleration: float = tunable(2.5, low=0.1, high=20.0, unit="m/s²")
    angular_speed: float = tunable(2.0, low=0.05, high=10.0, unit="rad/s")
    angular_acceleration: float = tunable(10.0, low=0.5, high=100.0, unit="rad/s²")
    damping: float = tunable(0.01, low=1e-4, high=0.5, unit="m/rad")
    orientation_weight: float = tunable(0.2, low=0.0, high=1.0, unit="m/rad")  # of rotation against translation
    posture: float = tunable(3.0, low=0.0, high=10.0, unit="1/s")  # rate at which redundant joints return to home
    share: float = 0.95  # fraction of the joints' velocity and acceleration limits that may be used
    reserve: float = 0.7  # fraction of the joints' accelerations for the planned motion; the rest is for curved paths
    lead: float = 0.3  # largest distance of a command from the measured joints [rad]

    def ports(self) -> Ports:
        """Return the ports, with sizes from the robot's joints and poses in its base frame."""
        sizes = {"n": len(self.robot.joints)}
        ports = super().ports().refine("joints", sizes=sizes).refine("goal", frame=BASE)
        return ports.refine("command", sizes=sizes, modes=frozenset({"position"})).refine("tcp", frame=BASE)

    def check(self) -> Iterable[str]:
        """Check the settings, and that the URDF has a chain from base to tool."""
        try:
            _ = self.robot.chain
        except ValueError as error:
            yield str(error)
        yield from Range(0, 1, includes="(]").problems(share=self.share, reserve=self.reserve)
        yield from positive("rad").problems(lead=self.lead)

    def open(self) -> None:
        """Load the robot's kinematic model."""
        self._arm = Arm(self.robot)
        self._limits = Limits.of(self.robot, self.share)
        self._plan: MotionState | None = None
        self._acquired = 0
        # A parallel gripper is symmetric under half a turn: prefer the side that tool x faces at home.
        self._home = self.robot.limit("home")
        position, rotation = self._arm.solve_forward(self._home)
        self._facing = 1.0 if rotation[0, 0] >= 0.0 else -1.0
        self._azimuth = math.atan2(position[1], position[0])
        self._yaw = math.atan2(self._facing * rotation[0, 1], -self._facing * rotation[1, 1])
        # Sense in which the last joint turns a tool that points down.
        last = np.array([*self._home[:-1], self._home[-1] + 0.1])
        self._sense = math.copysign(1.0, rotation_vector(self._arm.solve_forward(last)[1] @ rotation.T)[2])

    def step(self, joints: JointState, goal: Goal | None) -> InverseKinematicsOutput:
        """Advance the set-point by one joint state, and solve the joints for it.

        Raises:
            ValueError: the approach of the goal is not a unit vector.
            ResultRejected: the joints or the goal are not finite.
        """
        if not np.isfinite(joints.position).all():
            raise ResultRejected(f"joints must be finite, got {joints.position.tolist()} rad")
        if goal is not None:
            _check(goal)
        position, rotation = self._arm.solve_forward(joints.position)
        tcp = Pose(position=position, orientation=quaternion(rotation), frame=BASE)
        dt = (joints.acquired - self._acquired) / SECOND
        self._acquired = joints.acquired
        if goal is None:
            self._plan = None
            return InverseKinematicsOutput(None, tcp, None)
        wanted = tool_rotation(goal.approach, goal.yaw, self._face(goal))
        plan = self._plan
        if plan is None or not 0.0 < dt < 0.2 or np.abs(plan.q - joints.position).max() > self.lead:
            self._plan = plan = MotionState.at_rest(joints.position, position, rotation)
        else:
            self._plan = plan = self._advance(plan, goal.position, wanted, dt)
        opening = min(max(goal.gripper, 0.0), self.robot.opening)
        reached, turned = self._arm.solve_forward(plan.q)
        residual = Residual(position=norm(goal.position - reached), angle=norm(rotation_vector(wanted @ turned.T)))
        return InverseKinematicsOutput(JointCommand(position=plan.q.copy(), gripper=opening), tcp, residual)

    def _face(self, goal: Goal) -> float:
        """Return the side that tool x faces, 1 or -1: that of home, unless the last joint cannot turn that far."""
        swing = math.atan2(goal.position[1], goal.position[0]) - self._azimuth
        turn = math.remainder(goal.yaw - self._yaw - swing, 2 * math.pi)
        last = self._home[-1] + self._sense * turn
        within = self._limits.lower[-1] + WRIST_MARGIN < last < self._limits.upper[-1] - WRIST_MARGIN
        return self._facing if within else -self._facing

    def _pace(self, pace: Pace, q: Vector, way: Vector) -> Pace:
        """Reduce a pace to what the joints can do, and still brake from, along a twist (6,)."""
        length = norm(way)
        if length < 1e-9:
            return pace
        rates = self._arm.rates(q, way / length, damping=self.damping, weight=self.orientation_weight)
        rates = np.maximum(np.abs(rates), 1e-9)
        speed = min(pace.speed, float(np.min(self._limits.velocity / rates)))
        return Pace(speed, min(pace.acceleration, self.reserve * float(np.min(self._limits.acceleration / rates))))

    def _posture(self, position: Vector, q: Vector) -> Vector:
        """Return the joint motion to the home posture, turned about the base to face a position."""
        way: Vector = self._home - q
        way[0] += math.remainder(math.atan2(position[1], position[0]) - self._azimuth, 2 * math.pi)
        way[-1] = 0.0  # the last joint only turns the tool, which is the goal's business
        return way

    def _advance(self, plan: MotionState, there: Vector, wanted: Vector, dt: float) -> MotionState:
        way, turn = there - plan.position, rotation_vector(wanted @ plan.rotation.T)
        pace = self._pace(Pace(self.speed, self.acceleration), plan.q, np.concatenate([way, np.zeros(3)]))
        linear = pursue(plan.linear, way, pace, dt)
        pace = self._pace(
            Pace(self.angular_speed, self.angular_acceleration), plan.q, np.concatenate([np.zeros(3), turn])
        )
        angular = pursue(plan.angular, turn, pace, dt)
        position = plan.position + linear * dt
        rotation = rotation_matrix(angular * dt) @ plan.rotation
        solved, _ = self._arm.solve_inverse(
            position,
            rotation,
            plan.q,
            self._limits,
            damping=self.damping,
            weight=self.orientation_weight,
            spare=min(1.0, self.posture * dt) * self._posture(position, plan.q),
        )
        velocity = self._limits.bound((solved - plan.q) / dt, plan.q, plan.velocity, dt)
        stepped = plan.q + velocity * dt
        if np.abs(stepped - solved).max() > 1e-6:
            position, rotation = self._arm.solve_forward(stepped)
            linear, angular = (position - plan.position) / dt, rotation_vector(rotation @ plan.rotation.T) / dt
        return MotionState(stepped, velocity, position, rotation, linear, angular)


@dataclass(frozen=True, slots=True)
class MotionState:
    """State of the inverse kinematics node between steps: commanded joints, and set-point of the tool."""

    q: Vector  # (n,) [rad]
    velocity: Vector  # of q, (n,) [rad/s]
    position: Vector  # (3,) [m]
    rotation: Vector  # (3, 3)
    linear: Vector  # (3,) [m/s]
    angular: Vector  # (3,) [rad/s]

    @classmethod
    def at_rest(cls, q: Vector, position: Vector, rotation: Vector) -> MotionState:
        """Return the state of a motion that starts at rest."""
        return cls(np.array(q), np.zeros(len(q)), position, rotation, np.zeros(3), np.zeros(3))


def _check(goal: Goal) -> None:
    numbers = (*goal.position.tolist(), *goal.approach.tolist(), goal.yaw, goal.gripper)
    if not all(map(math.isfinite, numbers)):
        raise ResultRejected(
            f"the goal must be finite, got {goal.position} m, approach {goal.approach}, yaw {goal.yaw} rad, "
            f"opening {goal.gripper} m"
        )
    length = float(np.linalg.norm(goal.approach))
    if not abs(length - 1.0) < 0.01:
        raise ValueError(f"the approach must have length 1, got {goal.approach} of length {length:.4g}")
