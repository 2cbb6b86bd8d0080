"""The guard of an arm: the last word before its driver."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from embodied.clock import SECOND, Time, rate_of
from embodied.geometry import BASE
from embodied.guards.command_check import unfit
from embodied.guards.force_limit import ForceLimit
from embodied.guards.joint_limiter import Limiter, Motion
from embodied.guards.latch import Latch
from embodied.guards.lease import Lease
from embodied.guards.speed_separation import Pace, Zone, doubt
from embodied.guards.workspace import Box
from embodied.messages import GuardReport, JointCommand, JointState, Reset, Separation, Stop
from embodied.messages.schema import Vector
from embodied.node.node import Guard, tunable
from embodied.node.ports import Ports, Stamped
from embodied.robot import Robot


class Guarded(NamedTuple):
    """What the guard gives: a command that keeps every limit, and what it did to get it."""

    command: JointCommand | None
    report: GuardReport


@dataclass
class ArmGuard(Guard):
    """Lets an arm move only within its limits, only on fresh commands, and not at all after a stop.

    Position, velocity and acceleration of each joint stay within the robot's limits, and the tool centre within a box:
    a motion from which the arm could no longer stop inside is refused, and it brakes. NaN, infinity, another mode or
    another number of joints are refused. Without a fresh command it brakes and holds. A stop latches: it is released by
    a reset and a command that is newer than the reset. Whoever commands has a lease of the arm: the operator takes it
    from `teleop`, a person who is elsewhere, and both from the policy, `command`; back it goes only from rest.

    An input that is wired and silent holds the arm; one that is not wired is not used.

    Attributes:
        robot: whose limits.
        mode: what its commands give; others are refused.
        low, high: corners of the box for the tool centre, in the base frame [m].
        share: of the robot's velocity limits that may be used.
        lease: how long who commands may be silent before a lower rank follows [s].
        speed: of the fastest part of the arm, at most; None: as fast as its joints may [m/s].
        zone: what `separation` means; needed if it is wired.
        effort: of each joint as its driver reports it, at most: over it the arm stops, until a reset; None: not looked
            at; shape (n,) [N·m].
        patience: periods in a row over that limit until it stops.
    """

    robot: Robot
    mode: Literal["position", "velocity"] = "position"
    low: tuple[float, float, float] = (-1.0, -1.0, 0.0)  # [m]
    high: tuple[float, float, float] = (1.0, 1.0, 1.2)  # [m]
    share: float = tunable(1.0, low=0.01, high=1.0)
    lease: float = 0.5  # [s]
    speed: float | None = None  # [m/s]
    zone: Zone | None = None
    effort: tuple[float, ...] | None = None  # [N·m]
    patience: int = 3

    rate = 100.0
    ranks = ("operator", "teleop", "command")

    def ports(self) -> Ports:
        """Sizes by the robot's joints; commands by the one mode, in and out."""
        sizes = {"n": len(self.robot.joints)}
        ports = super().ports().refine("joints", sizes=sizes)
        for name in self.ranks:
            ports = ports.refine(name, sizes=sizes, modes=frozenset({self.mode}))
        return ports

    def check(self) -> Iterable[str]:
        """The box is one, the limits are limits, and the URDF leads to the tool."""
        yield from self._check_limits()
        box = Box(self.low, self.high)
        if box.empty():
            yield f"the box from {self.low} to {self.high} m is empty"
        try:
            tool = self.robot.chain.tool(self.robot.limit("home"))[:3, 3]
        except ValueError as error:
            yield str(error)
            return
        if box.depth(tool) > 0.0:
            at = np.round(tool, 3).tolist()
            yield f"at home the tool is at {at} m ({BASE}), outside the box {self.low} to {self.high}"

    def _check_limits(self) -> Iterable[str]:
        if not 0.0 <= self.lease < math.inf:
            yield f"lease = {self.lease} s is no time to wait"
        if self.speed is not None and not 0.0 < self.speed < math.inf:
            yield f"speed = {self.speed} m/s is not above 0; leave it out for no limit"
        if (self.zone is not None) != ("separation" in self.wired):
            found = "a zone is set, and nothing is wired to 'separation'"
            missing = "'separation' is wired; write what it means: 'zone: {reaction: …, margin: …}'"
            yield found if self.zone is not None else missing
        if self.zone is not None:
            yield from self.zone.check(float(1 / rate_of(self.rate)))
        if self.patience < 1:
            yield f"patience = {self.patience} periods is less than one"
        if self.effort is None:
            return
        if len(self.effort) != len(self.robot.joints):
            yield f"effort limits {len(self.effort)} joints, and {self.robot.name} has {len(self.robot.joints)}"
            return
        for name, limit, able in zip(self.robot.joints, self.effort, self.robot.limit("effort"), strict=True):
            if not 0.0 < limit <= able:
                yield f"effort = {limit} N·m of {name} is not above 0 and up to its own {able:g} N·m"

    def open(self) -> None:
        """Start with nothing to hold."""
        self._limiter = Limiter(self.robot, float(1 / rate_of(self.rate)), self.share)
        self._box = Box(self.low, self.high)
        self._latch = Latch()
        self._lease = Lease(self.ranks, round(self.lease * SECOND))
        names, limits = list(self.robot.joints), self.effort
        self._force = None if limits is None else ForceLimit(names, np.array(limits), self.patience)
        self._state: Motion | None = None
        self._target: Vector | None = None
        self._gripper: float | None = None

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
    ) -> Guarded:
        """One period: choose whom to follow, limit, and say what was done."""
        if self._limiter.share != self.share:
            self._limiter = Limiter(self.robot, self._limiter.period, self.share)
        if joints is not None and not np.isfinite(np.concatenate((joints.position, joints.velocity))).all():
            joints = None
        commands = {"operator": operator, "teleop": teleop, "command": command}
        fresh = {name: given for name, given in commands.items() if given is not None}
        resting = self._state is None or not self._state.velocity.any()
        heard = {name: given.stamp for name, given in fresh.items()}
        source = self._lease.grant(heard, resting, now)
        over = "" if self._force is None else self._force.over(None if joints is None else joints.effort)
        if self._latch.turn([*(said.reason for said in stop), *filter(None, [over])], bool(reset), now) and resting:
            # The arm may have been moved by hand: what was held before the stop means nothing now. One that still
            # brakes goes on from there, and does not jump.
            self._state = None
        if self._state is None:
            if joints is None:
                return Guarded(None, self._held(self._latch.refusal() or "no joint state yet"))
            self._state = Motion(joints.position, np.zeros_like(joints.position))
        if self.mode == "velocity" and joints is not None:
            # A commanded velocity says where the arm goes, not where it is.
            self._state = Motion(joints.position, self._state.velocity)
        pace = Pace.of(math.inf if self.speed is None else self.speed, self.zone, separation, now)
        refusal = self._blind(joints, separation) or pace.refusal()
        refusal = refusal or self._lease.refusal(heard, self._latch.released, "the arm rests")
        if refusal or (refusal := unfit(source, fresh[source].value, self.mode, self.robot)):
            return self._hold(refusal)
        return self._follow(source, fresh[source].value, pace)

    def _blind(self, joints: JointState | None, separation: Stamped[Separation] | None) -> str:
        """Why nobody may be followed: the arm is stopped, or something is not known that must be; empty: anyone may."""
        if refusal := self._latch.refusal():
            return refusal
        if joints is None:
            return "no fresh joint state"
        if self._force is not None and not self._force.measured(joints.effort):
            return "the arm reports no effort, and this guard has a limit for it"
        if separation is None:
            return "no fresh separation" if "separation" in self.wired else ""
        return doubt(separation.value)

    def _follow(self, source: str, command: JointCommand, pace: Pace) -> Guarded:
        assert self._state is not None
        asked = command.position if self.mode == "position" else command.velocity
        clips: tuple[str, ...] = ()
        if asked is None:
            moved = self._limiter.brake(self._state)
            self._target = None
        elif self.mode == "position":
            before = self._state.position if self._target is None else self._target
            moved, clips = self._limiter.follow(self._state, before, asked)
            self._target = np.minimum(np.maximum(asked, self._limiter.lower), self._limiter.upper)
        else:
            moved, clips = self._limiter.drive(self._state, asked)
        moved, slower = pace.slowed(self._limiter, self.robot.chain, self._state, moved)
        refusal = ""
        ahead = np.array((self._state.position, moved.position, self._limiter.stopped_at(moved)))
        was, *tools = self.robot.chain.tool(ahead)[:, :3, 3]
        left = self._box.left(was, tools)
        if left is not None:
            at = np.round(left, 4).tolist()
            refusal = f"{source} would bring the tool to {at} m, outside {self.low} to {self.high}"
            moved = self._limiter.brake(self._state)
            self._target = None
        clips = slower + clips
        if command.gripper is not None:
            self._gripper = min(max(command.gripper, 0.0), self.robot.opening)
            if self._gripper != command.gripper:
                clips += (f"gripper: opening {command.gripper:.4g} clipped to {self._gripper:.4g} m",)
        self._state = moved
        state = "holding" if refusal else "following"
        return Guarded(self._command(), _report(state, source, clips, refusal))

    def _hold(self, reason: str) -> Guarded:
        assert self._state is not None
        self._state = self._limiter.brake(self._state)
        self._target = None
        return Guarded(self._command(), self._held(reason))

    def _held(self, reason: str) -> GuardReport:
        return _report("stopped" if self._latch.reason else "holding", "", (), reason)

    def _command(self) -> JointCommand:
        assert self._state is not None
        values = self._state.position if self.mode == "position" else self._state.velocity
        return JointCommand(**{self.mode: values.copy()}, gripper=self._gripper)


def _report(state: str, source: str, clips: tuple[str, ...], refusal: str) -> GuardReport:
    return GuardReport(state=state, source=source, clips=clips, refusals=(refusal,) if refusal else ())
