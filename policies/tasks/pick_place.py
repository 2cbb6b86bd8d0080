"""Pick and place: a state machine that moves the target block into the tray, with any arm."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import numpy as np

from embodied import SECOND, Node, Ports, Time, tunable
from embodied.geometry import BASE, rotation
from embodied.messages import Detections, Goal, GripperState, Pose, Target, Vector
from embodied.ranges import at_least, positive
from policies.motion.grasp import Fingers
from policies.perception.block_averaging import BlockAverager, Grasp

PROGRESS_LEAST = 0.001
"""Least decrease of the distance to a goal that is progress [m]."""

DOWN = np.array([0.0, 0.0, -1.0])
"""Approach of a tool that points down, in the base frame."""


class PickPhase(Enum):
    """Phases of pick and place, in the order of an undisturbed run; `RISE` leads back to `VIEW` from any of them."""

    VIEW = auto()
    ABOVE = auto()
    DESCEND = auto()
    CLOSE = auto()
    LIFT = auto()
    CARRY = auto()
    LOWER = auto()
    RELEASE = auto()
    RISE = auto()


HOLDING = frozenset({PickPhase.LIFT, PickPhase.CARRY, PickPhase.LOWER})
"""Phases in which the block is in the gripper."""


@dataclass
class PickPlace(Node):
    """Pick and place as a state machine: publish goals of the tool on each new set of detections.

    Detections are used only with the tool at its start, where the arm occludes nothing, and a grasp is planned on the
    mean of a few. A grasp that misses or loses the block starts over with new detections. A tool that comes no nearer
    to its goal, as on servos that sag, goes on from where it rests if that is within `reach`; else it starts over.
    """

    place: tuple[float, float] = (0.42, 0.38)  # middle of the tray [m]
    tray: float = 0.20  # inner edge of the tray [m]
    block: float = 0.04  # edge of a block [m]
    opening: float = 0.075  # opening of the gripper around a block [m]
    hover: float = 0.12  # height of the tool above the table, before it descends [m]
    travel: float = 0.16  # height of the tool above the table, while it carries [m]
    release: float = 0.032  # height of the tool above the table, when it lets go in the tray [m]
    fingers: Fingers = field(default_factory=Fingers)  # footprint of the fingers beside a block
    looks: int = 3  # number of detections on which a grasp is planned
    tolerance: float = 0.006  # distance of the tool from a goal above the block or the tray that counts as there [m]
    reach: float = 0.02  # the same, for a tool that has come to rest and comes no nearer [m]
    rest: float = 1.0  # time without coming nearer after which it counts as at rest [s]
    patience: float = tunable(4.0, low=1.0, high=30.0, unit="s")  # longest time in one phase

    def ports(self) -> Ports:
        """Return the ports, with all poses in the robot's base frame."""
        ports = super().ports()
        for name in ("objects", "tcp", "goal"):
            ports = ports.refine(name, frame=BASE)
        return ports

    def check(self) -> Iterable[str]:
        """Check that heights and widths fit together."""
        if self.opening <= self.block:
            yield f"opening must be above block = {self.block} m, got {self.opening}"
        if not self.block / 2 <= self.release < self.hover <= self.travel:
            yield "heights must satisfy block / 2 <= release < hover <= travel"
        yield from at_least(1).problems(looks=self.looks)
        yield from positive("m").problems(tolerance=self.tolerance)
        yield from positive("s").problems(rest=self.rest)
        if self.reach < self.tolerance:
            yield f"reach must be at least tolerance = {self.tolerance} m, got {self.reach}"

    def open(self) -> None:
        """Start in phase `VIEW`, without detections."""
        self._began = False
        self._home: Goal  # from the first step on
        self._goal: Goal
        self._averager = BlockAverager(self.looks, self.place, self.tray / 2, self.fingers)
        self._grasp: Grasp  # from the first plan on
        self._last: Vector | None = None
        self._nearest, self._nearer_at = math.inf, 0.0
        self._enter(PickPhase.VIEW, Time(0))

    def step(self, objects: Detections, tcp: Pose, gripper: GripperState, target: Target, now: Time) -> Goal:
        """Return the goal until the next set of detections."""
        if not self._began:
            self._began = True
            self._home = self._goal = Goal(
                position=tcp.position, approach=DOWN, yaw=yaw_of(tcp), gripper=self.opening, frame=BASE
            )
        settled = self._last is not None and float(np.linalg.norm(tcp.position - self._last)) < 0.001
        self._last = tcp.position
        waited = (now - self._since) / SECOND
        lost = self.phase in HOLDING and gripper.width < 0.6 * self.block
        if self.phase is PickPhase.VIEW:
            self._view(objects, target.label, tcp, now)
        elif lost or waited > self.patience:
            if not lost:
                print(
                    f"the tool is {1000 * self._distance(tcp):.1f} mm from its goal after {waited:.1f} s: starts over"
                )
            self._rise(tcp, now)
        elif self._bumped(tcp):
            self._enter(PickPhase.ABOVE, now)
            self._move(self._goal.position[:2], self.hover, self._goal.yaw, self.opening)
        elif self._done(tcp, waited, gripper, settled and waited > 0.3):
            self._proceed(tcp, gripper, now)
        return self._goal

    def _distance(self, tcp: Pose) -> float:
        return float(np.linalg.norm(self._goal.position - tcp.position))

    def _bumped(self, tcp: Pose) -> bool:
        """Return whether the tool was pushed aside during the descent, so that the fingers could land on the block."""
        aside = float(np.linalg.norm((self._goal.position - tcp.position)[:2]))
        above = float(tcp.position[2] - self._goal.position[2])
        return self.phase is PickPhase.DESCEND and aside > 0.012 and above > self.block / 2

    def _turn(self, tcp: Pose) -> float:
        return abs(math.remainder(yaw_of(tcp) - self._goal.yaw, math.pi))

    def _view(self, objects: Detections, label: str, tcp: Pose, now: Time) -> None:
        if self._distance(tcp) > 0.02:
            return
        grasp = self._averager.update(objects, label)
        if grasp is not None:
            self._grasp = grasp
            self._enter(PickPhase.ABOVE, now)
            self._move(grasp.position[:2], self.hover, grasp.yaw, self.opening)

    def _done(self, tcp: Pose, waited: float, gripper: GripperState, settled: bool) -> bool:
        distance = self._distance(tcp)
        match self.phase:
            case PickPhase.DESCEND | PickPhase.LOWER:
                return distance < 0.003 or settled
            case PickPhase.CLOSE:
                return waited >= 0.2 and abs(gripper.speed) < 0.003
            case PickPhase.RELEASE:
                return gripper.width > self.block + 0.015 or waited > 0.5
            case PickPhase.ABOVE | PickPhase.CARRY:
                stays = self._stays(distance, waited)
                done = distance < (self.reach if stays else self.tolerance) and self._turn(tcp) < math.radians(3)
                if done and distance >= self.tolerance:
                    print(f"the tool rests {1000 * distance:.1f} mm from its goal, and goes on from there")
                return done
            case _:
                return distance < 0.02

    def _stays(self, distance: float, waited: float) -> bool:
        """Return whether the tool has come no nearer to its goal for `rest` seconds."""
        if distance < self._nearest - PROGRESS_LEAST:
            self._nearest, self._nearer_at = distance, waited
        return waited - self._nearer_at > self.rest

    def _proceed(self, tcp: Pose, gripper: GripperState, now: Time) -> None:
        goal = self._goal
        match self.phase:
            case PickPhase.ABOVE:
                self._enter(PickPhase.DESCEND, now)
                height = max(float(self._grasp.position[2]), self.block / 2)
                self._move(goal.position[:2], height, goal.yaw, self.opening)
            case PickPhase.DESCEND:
                self._enter(PickPhase.CLOSE, now)
                self._goal = replace(goal, gripper=0.0)
            case PickPhase.CLOSE if gripper.width < 0.6 * self.block:
                self._rise(tcp, now)
            case PickPhase.CLOSE:
                self._enter(PickPhase.LIFT, now)
                self._move(goal.position[:2], self.travel, goal.yaw, 0.0)
            case PickPhase.LIFT:
                self._enter(PickPhase.CARRY, now)
                # The yaw turns with the base, so that the wrist need not turn.
                swing = math.atan2(self.place[1], self.place[0]) - math.atan2(goal.position[1], goal.position[0])
                self._move(np.array(self.place), self.travel, goal.yaw + swing, 0.0)
            case PickPhase.CARRY:
                self._enter(PickPhase.LOWER, now)
                self._move(goal.position[:2], self.release, goal.yaw, 0.0)
            case PickPhase.LOWER:
                self._enter(PickPhase.RELEASE, now)
                self._goal = replace(goal, gripper=self.opening)
            case PickPhase.RELEASE:
                self._rise(tcp, now)
            case _:
                self._enter(PickPhase.VIEW, now)
                self._averager.reset()
                self._goal = self._home

    def _rise(self, tcp: Pose, now: Time) -> None:
        self._enter(PickPhase.RISE, now)
        self._move(tcp.position[:2], max(self.travel, float(tcp.position[2])), self._goal.yaw, self.opening)

    def _enter(self, phase: PickPhase, now: Time) -> None:
        self.phase, self._since = phase, now
        self._nearest, self._nearer_at = math.inf, 0.0

    def _move(self, at: Vector, height: float, yaw: float, gripper: float) -> None:
        position = np.array([at[0], at[1], height])
        self._goal = Goal(position=position, approach=DOWN, yaw=yaw, gripper=gripper, frame=BASE)


def yaw_of(tcp: Pose) -> float:
    """Return the yaw of pick and place's tool, which points down; at 0 fingers open along y; in [-π/2, π/2] [rad]."""
    y = rotation(tcp.orientation)[:, 1]
    return math.remainder(math.atan2(float(y[0]), -float(y[1])), math.pi)
