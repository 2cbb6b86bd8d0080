"""Arm guard: the last stage before an arm's driver."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from embodied.clock import Time, rate_of
from embodied.geometry import BASE
from embodied.guards.agreement import Agreement
from embodied.guards.arbiter import Arbiter
from embodied.guards.command_check import joint_problem, joint_range_problem
from embodied.guards.following_error import FollowingError, VelocityLag
from embodied.guards.force_limit import ForceLimit
from embodied.guards.joint_limiter import JointLimiter, JointSetpoint
from embodied.guards.speed_separation import ProtectiveDistance, SpeedLimit, separation_problem
from embodied.guards.workspace import Box
from embodied.messages import GuardReport, JointCommand, JointState, Reset, Separation, Stop
from embodied.messages.schema import Vector
from embodied.node.node import Guard, tunable
from embodied.node.ports import Ports, Stamped
from embodied.ranges import Range, at_least, positive
from embodied.robot import Robot

OUTSIDE_MOST = 0.05
"""Excess over a joint's range up to which a measurement is sag or noise, and the way back is open [rad]."""

AGREEMENT = 0.05
"""Largest difference between joint states that agree: what the fastest arm moves between them [rad]."""


class ArmGuardOutput(NamedTuple):
    """Output of an arm guard: a command within every limit, and a report of what limited or refused it."""

    command: JointCommand | None
    report: GuardReport


@dataclass
class ArmGuard(Guard):
    """Arm guard: keep an arm within its limits, let it move only on fresh commands, and not at all after a stop.

    Position, velocity and acceleration of each joint stay within the robot's limits, and the tool centre within a box:
    a motion from which the arm could no longer stop inside is refused, and the arm brakes. NaN, infinity, another mode
    or another number of joints are refused. Without a fresh command the arm brakes and holds. A stop latches; it takes
    a reset and a command newer than the reset to move again. Commanders hold a lease: the operator takes it from
    `teleop`, a remote person, and both take it from the policy, `command`; it returns to a lower rank only at rest.

    An input that is wired but silent holds the arm; one that is not wired is not used. There is no command while a
    joint is measured outside its range by more than `OUTSIDE_MOST`. After silence, a stop or such a measurement the
    set-point begins again where several measurements agree that the arm is. An arm that does not follow its set-point
    is not commanded on: it stops, until a reset.

    Attributes:
        robot: robot whose limits apply.
        mode: kind of command that is followed; others are refused.
        low, high: corners of the box for the tool centre, in the base frame [m].
        share: fraction of the robot's velocity limits that may be used.
        lease: silence of a commander after which a lower rank is followed [s].
        speed: limit for the fastest part of the arm; None: the joints' limits only [m/s].
        zone: protective distance from people; required if `separation` is wired.
        effort: limit of each joint's measured effort, shape (n,): beyond it the arm stops, until a reset; None: not
            monitored [N·m].
        patience: consecutive periods beyond an effort limit, or beyond `following_error`, that stop the arm.
        following_error: distance between the set-point and a measured joint beyond which the arm holds; of a guard of
            velocities, what the joint moved less than it should have within about a second [rad].
    """

    robot: Robot
    mode: Literal["position", "velocity"] = "position"
    low: tuple[float, float, float] = (-1.0, -1.0, 0.0)  # [m]
    high: tuple[float, float, float] = (1.0, 1.0, 1.2)  # [m]
    share: float = tunable(1.0, low=0.01, high=1.0)
    lease: float = 0.5  # [s]
    speed: float | None = None  # [m/s]
    zone: ProtectiveDistance | None = None
    effort: tuple[float, ...] | None = None  # [N·m]
    patience: int = 3
    following_error: float = 0.4  # [rad]

    rate = 100.0
    ranks = ("operator", "teleop", "command")

    def ports(self) -> Ports:
        """Return the ports, with sizes from the robot's joints and the one mode of commands."""
        sizes = {"n": len(self.robot.joints)}
        ports = super().ports().refine("joints", sizes=sizes)
        for name in self.ranks:
            ports = ports.refine(name, sizes=sizes, modes=frozenset({self.mode}))
        return ports

    def check(self) -> Iterable[str]:
        """Check the limits, the box, and that the URDF has a chain to the tool."""
        yield from self._check_limits()
        box = Box(self.low, self.high)
        if box.empty():
            yield f"low must be below high on each axis, got {self.low} and {self.high} m"
        try:
            tool = self.robot.chain.tool(self.robot.limit("home"))[:3, 3]
        except ValueError as error:
            yield str(error)
            return
        yield from self.robot.excesses()
        if box.depth(tool) > 0.0:
            at = np.round(tool, 3).tolist()
            yield f"the box from {self.low} to {self.high} m must contain the tool at home, which is at {at} m ({BASE})"

    def _check_limits(self) -> Iterable[str]:
        yield from at_least(0, "s").problems(lease=self.lease)
        if self.speed is not None:
            for problem in positive("m/s").problems(speed=self.speed):
                yield f"{problem}; leave it out for no limit"
        if (self.zone is not None) != ("separation" in self.wired):
            unused = "zone is set, but nothing is wired to 'separation'"
            missing = "zone must be set if 'separation' is wired: 'zone: {reaction: …, margin: …}'"
            yield unused if self.zone is not None else missing
        if self.zone is not None:
            yield from self.zone.check(float(1 / rate_of(self.rate)))
        yield from at_least(1).problems(patience=self.patience)
        yield from positive("rad").problems(following_error=self.following_error)
        if self.effort is None:
            return
        if len(self.effort) != len(self.robot.joints):
            yield f"effort must have {len(self.robot.joints)} values, one per joint, got {len(self.effort)}"
            return
        for name, limit, rated in zip(self.robot.joints, self.effort, self.robot.limit("effort"), strict=True):
            yield from Range(0, rated, "N·m", "(]").problems(**{f"effort of {name}": limit})

    def open(self) -> None:
        """Start without a set-point or a target."""
        self._limiter = JointLimiter(self.robot, float(1 / rate_of(self.rate)), self.share)
        self._box = Box(self.low, self.high)
        self._arbiter = Arbiter[JointCommand](self.ranks, self.lease, "the arm rests")
        names, limits = list(self.robot.joints), self.effort
        self._force = None if limits is None else ForceLimit(names, np.array(limits), self.patience)
        self._agreement = Agreement(AGREEMENT)
        self._following = FollowingError(self.following_error, "rad", self.patience)
        self._setpoint: JointSetpoint | None = None
        self._target: Vector | None = None
        self._gripper: float | None = None
        self._silent = False
        self._lag = VelocityLag(self.robot.limit("velocity"), self._limiter.period)

    def step(
        self,
        command: Stamped[JointCommand] | None,
        teleop: Stamped[JointCommand] | None,
        operator: Stamped[JointCommand] | None,
        joints: JointState | None,
        separation: Stamped[Separation] | None,
        stop: list[Stop],
        reset: list[Stamped[Reset]],
        now: Time,
    ) -> ArmGuardOutput:
        """Run one control period: arbitrate between commanders, limit the command, report clips and refusals."""
        if self._limiter.share != self.share:
            self._limiter = JointLimiter(self.robot, self._limiter.period, self.share)
        if joints is not None and not np.isfinite(np.concatenate((joints.position, joints.velocity))).all():
            joints = None
        resting = self._setpoint is None or not self._setpoint.velocity.any()
        self._arbiter.receive({"operator": operator, "teleop": teleop, "command": command}, resting, now)
        force = "" if self._force is None else self._force.update(None if joints is None else joints.effort)
        obstacle = self._locate(joints, resting)
        # Once it is stopped, anyone may move it by hand.
        astray = "" if self._arbiter.stopped else self._following.cause
        released = self._arbiter.latch(stop, (force, astray), reset, now)
        if resting and (released or self._following.cause):
            # Begin where the arm is now. One that still brakes goes on from its set-point, so that it does not jump.
            self._setpoint = None
            self._agreement.require()
        if self._setpoint is None:
            if obstacle := obstacle or self._agreement.refusal():
                return ArmGuardOutput(None, self._arbiter.report_holding(self._arbiter.stopped or obstacle))
            assert joints is not None
            self._setpoint, self._target = JointSetpoint(joints.position, np.zeros_like(joints.position)), None
            self._lag.forget()
        if self.mode == "velocity" and joints is not None:
            # A commanded velocity says where the arm goes, not where it is.
            self._setpoint = JointSetpoint(joints.position, self._setpoint.velocity)
        limit = SpeedLimit.of(math.inf if self.speed is None else self.speed, self.zone, separation, now)
        obstacle = self._unmonitored(joints, separation) or self._following.refusal or limit.refusal()
        followed, refusal = self._arbiter.select(obstacle, self._problem)
        return self._hold(refusal) if followed is None else self._follow(followed, limit)

    def _locate(self, joints: JointState | None, resting: bool) -> str:
        """Compare the joints with their ranges and the set-point; return why their place is unknown, or nothing.

        The set-point is dropped where it is no more the arm's place: after silence, and with a joint outside.
        """
        silent, self._silent = self._silent, joints is None
        if joints is None:
            self._agreement.forget()
            self._lag.forget()
            return "no fresh joint state" if self._agreement.begun else "no joint state yet"
        self._agreement.add(joints, *joints.position.tolist())
        limiter = self._limiter
        lower, upper = limiter.lower - OUTSIDE_MOST, limiter.upper + OUTSIDE_MOST
        outside = joint_range_problem(joints.position, lower, upper, limiter.names)
        if outside:
            self._agreement.forget()
        if outside or (silent and resting):
            self._setpoint = None
        if self._setpoint is None:
            self._following.reset()
            return f"measured {outside}" if outside else ""
        if self.mode == "position":
            lag = self._setpoint.position - joints.position
        else:
            lag = self._lag.update(self._setpoint.velocity, joints.position)
        worst = int(np.argmax(np.abs(lag)))
        self._following.update(limiter.names[worst], abs(float(lag[worst])))
        return ""

    def _problem(self, command: JointCommand) -> str:
        return joint_problem(command, self.mode, len(self.robot.joints))

    def _unmonitored(self, joints: JointState | None, separation: Stamped[Separation] | None) -> str:
        """Return which measurement is missing that must be known to move; empty if none is."""
        if joints is None:
            return "no fresh joint state"
        if self._force is not None and not self._force.measured(joints.effort):
            return "the arm reports no effort, but this guard limits it"
        if separation is None:
            return "no fresh separation" if "separation" in self.wired else ""
        return separation_problem(separation.value)

    def _follow(self, command: JointCommand, limit: SpeedLimit) -> ArmGuardOutput:
        assert self._setpoint is not None
        wanted = command.position if self.mode == "position" else command.velocity
        clips: tuple[str, ...] = ()
        if wanted is None:
            setpoint = self._limiter.brake(self._setpoint)
            self._target = None
        elif self.mode == "position":
            before = self._setpoint.position if self._target is None else self._target
            setpoint, clips = self._limiter.follow(self._setpoint, before, wanted)
            self._target = np.minimum(np.maximum(wanted, self._limiter.lower), self._limiter.upper)
        else:
            setpoint, clips = self._limiter.drive(self._setpoint, wanted)
        setpoint, slower = limit.slow_down(self._limiter, self.robot.chain, self._setpoint, setpoint)
        refusal = ""
        # Not only the next set-point but also the point where braking from it ends must be inside the box.
        path = np.array((self._setpoint.position, setpoint.position, self._limiter.stopped_at(setpoint)))
        tool, *ahead = self.robot.chain.tool(path)[:, :3, 3]
        outside = self._box.first_outside(tool, ahead)
        if outside is not None:
            at = np.round(outside, 4).tolist()
            refusal = f"{self._arbiter.source} would bring the tool to {at} m, outside {self.low} to {self.high}"
            setpoint = self._limiter.brake(self._setpoint)
            self._target = None
        clips = slower + clips
        if command.gripper is not None:
            self._gripper = min(max(command.gripper, 0.0), self.robot.opening)
            if self._gripper != command.gripper:
                clips += (f"gripper: opening {command.gripper:.4g} clipped to {self._gripper:.4g} m",)
        self._setpoint = setpoint
        return ArmGuardOutput(self._command(), self._arbiter.report_following(clips, refusal))

    def _hold(self, refusal: str) -> ArmGuardOutput:
        assert self._setpoint is not None
        self._setpoint = self._limiter.brake(self._setpoint)
        self._target = None
        return ArmGuardOutput(self._command(), self._arbiter.report_holding(refusal))

    def _command(self) -> JointCommand:
        assert self._setpoint is not None
        values = self._setpoint.position if self.mode == "position" else self._setpoint.velocity
        return JointCommand(**{self.mode: values.copy()}, gripper=self._gripper)
