"""The guard of an arm: the last word before its driver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from embodied.clock import Time, rate_of
from embodied.guards.limiter import Limiter, Motion
from embodied.messages import GuardReport, JointCommand, JointState, Reset, Stop
from embodied.messages.schema import Vector
from embodied.node import Guard, tunable
from embodied.ports import Ports, Stamped
from embodied.robot import BASE, Robot


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
    a reset and a command that is newer than the reset. The operator outranks the policy.

    Attributes:
        robot: whose limits.
        mode: what its commands give; others are refused.
        low, high: corners of the box for the tool centre, in the base frame [m].
        share: of the robot's velocity limits that may be used.
    """

    robot: Robot
    mode: Literal["position", "velocity"] = "position"
    low: tuple[float, float, float] = (-1.0, -1.0, 0.0)  # [m]
    high: tuple[float, float, float] = (1.0, 1.0, 1.2)  # [m]
    share: float = tunable(1.0, low=0.01, high=1.0)

    rate = 100.0

    def ports(self) -> Ports:
        """Sizes by the robot's joints; commands by the one mode, in and out."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        modes = frozenset({self.mode})
        ports = ports.refine("joints", sizes=sizes).refine("operator", sizes=sizes, modes=modes)
        return ports.refine("command", sizes=sizes, modes=modes)

    def check(self) -> Iterable[str]:
        """The box is one, the limits are limits, and the URDF leads to the tool."""
        if not all(low < high for low, high in zip(self.low, self.high, strict=True)):
            yield f"the box from {self.low} to {self.high} m is empty"
        try:
            tool = self.robot.chain.tool(self.robot.limit("home"))[:3, 3]
        except ValueError as error:
            yield str(error)
            return
        if not self._inside(tool):
            at = np.round(tool, 3).tolist()
            yield f"at home the tool is at {at} m ({BASE}), outside the box {self.low} to {self.high}"

    def open(self) -> None:
        """Start with nothing to hold."""
        self._limiter = Limiter(self.robot, float(1 / rate_of(self.rate)), self.share)
        self._state: Motion | None = None
        self._target: Vector | None = None
        self._gripper: float | None = None
        self._stopped = ""
        self._released = Time(-1)

    def step(
        self,
        command: Stamped[JointCommand] | None,
        operator: Stamped[JointCommand] | None,
        joints: JointState | None,
        stop: list[Stop],
        reset: list[Stamped[Reset]],
        now: Time,
    ) -> Guarded:
        """One period: choose whom to follow, limit, and say what was done."""
        if self._limiter.share != self.share:
            self._limiter = Limiter(self.robot, self._limiter.period, self.share)
        if joints is not None and not np.isfinite(joints.position).all():
            joints = None
        self._latch(stop, reset, now)
        if self._state is None:
            if joints is None:
                return Guarded(
                    None, GuardReport(state="holding", source="", clips=(), refusals=("no joint state yet",))
                )
            self._state = Motion(joints.position.copy(), np.zeros_like(joints.position))
            self._target = None
        if self.mode == "velocity" and joints is not None:
            # A commanded velocity says where the arm goes, not where it is.
            self._state = Motion(joints.position.copy(), self._state.velocity)
        source, chosen = ("operator", operator) if operator is not None else ("command", command)
        refusal = self._refusal(source, chosen, joints)
        if refusal or chosen is None:
            return self._hold(refusal)
        return self._follow(source, chosen.value)

    def _latch(self, stop: list[Stop], reset: list[Stamped[Reset]], now: Time) -> None:
        if reset and self._stopped and not stop:
            self._stopped = ""
            self._released = now
            # The arm may have been moved by hand: what was held before the stop means nothing now.
            self._state = None
        if stop:
            self._stopped = stop[-1].reason or "stop"

    def _refusal(self, source: str, chosen: Stamped[JointCommand] | None, joints: JointState | None) -> str:
        """Why there is nothing to follow; empty if there is."""
        if self._stopped:
            return f"stopped: {self._stopped}; needs a reset and a fresh command"
        if joints is None:
            return "no fresh joint state"
        if chosen is None:
            return "no fresh command"
        if chosen.stamp <= self._released:
            return f"{source} is older than the reset"
        given = {mode: getattr(chosen.value, mode) for mode in ("position", "velocity", "effort")}
        for mode, values in given.items():
            if values is None:
                continue
            if mode != self.mode:
                return f"{source} commands {mode}, and this guard takes {self.mode}"
            if values.shape != self._limiter.lower.shape:
                return f"{source} commands {values.size} joints, and {self.robot.name} has {self._limiter.lower.size}"
            if not np.isfinite(values).all():
                return f"{source} commands {mode} {values.tolist()}, which is not finite"
        gripper = chosen.value.gripper
        if gripper is not None and not np.isfinite(gripper):
            return f"{source} commands gripper {gripper}, which is not finite"
        return ""

    def _follow(self, source: str, command: JointCommand) -> Guarded:
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
        refusals: tuple[str, ...] = ()
        out = self._leaves(moved)
        if out:
            refusals = (f"{source} {out}",)
            moved = self._limiter.brake(self._state)
            self._target = None
        if command.gripper is not None:
            self._gripper = min(max(command.gripper, 0.0), self.robot.opening)
            if self._gripper != command.gripper:
                clips += (f"gripper: opening {command.gripper:.4g} clipped to {self._gripper:.4g} m",)
        self._state = moved
        state = "holding" if refusals else "following"
        return Guarded(self._command(), GuardReport(state=state, source=source, clips=clips, refusals=refusals))

    def _hold(self, reason: str) -> Guarded:
        assert self._state is not None
        self._state = self._limiter.brake(self._state)
        self._target = None
        state = "stopped" if self._stopped else "holding"
        return Guarded(self._command(), GuardReport(state=state, source="", clips=(), refusals=(reason,)))

    def _command(self) -> JointCommand:
        assert self._state is not None
        values = self._state.position if self.mode == "position" else self._state.velocity
        return JointCommand(**{self.mode: values.copy()}, gripper=self._gripper)

    def _leaves(self, moved: Motion) -> str:
        """Why a motion may not be made: the tool leaves the box, now or by the time the arm could stop."""
        assert self._state is not None
        chain = self.robot.chain
        for tool in chain.tool(np.array((moved.position, self._limiter.stopped_at(moved))))[:, :3, 3]:
            if not self._inside(tool):
                was = chain.tool(self._state.position)[:3, 3]
                # Already outside, as after being moved by hand: the way back in stays open.
                if not self._inside(was) and self._depth(tool) < self._depth(was):
                    continue
                return f"would bring the tool to {np.round(tool, 4).tolist()} m, outside {self.low} to {self.high}"
        return ""

    def _inside(self, tool: Vector) -> bool:
        return self._depth(tool) <= 0.0

    def _depth(self, tool: Vector) -> float:
        """How far outside the box a point is [m], 0 inside."""
        return float(max(np.max(self.low - tool), np.max(tool - self.high), 0.0))
