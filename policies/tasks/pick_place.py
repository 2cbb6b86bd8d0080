"""Pick up the block that the task names and put it into the tray, with whatever arm there is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import numpy as np

from embodied import SECOND, Node, Ports, Time, tunable
from embodied.geometry import BASE, rotation
from embodied.messages import Detections, Goal, GripperState, Pose, Target, Vector
from policies.motion.grasp import Fingers
from policies.perception.block_averaging import Grasp, Looks

DOWN = np.array([0.0, 0.0, -1.0])


class Phase(Enum):
    """What it is doing, in the order of an undisturbed run; `RISE` leads back to `VIEW` from anywhere."""

    VIEW = auto()
    ABOVE = auto()
    DESCEND = auto()
    CLOSE = auto()
    LIFT = auto()
    CARRY = auto()
    LOWER = auto()
    RELEASE = auto()
    RISE = auto()


HOLDING = frozenset({Phase.LIFT, Phase.CARRY, Phase.LOWER})


@dataclass
class PickPlace(Node):
    """A state machine over goals of the tool, run on each new set of detections.

    It looks only from where it began, where the arm hides nothing, and acts on the mean of a few looks. A grasp that
    finds nothing between the fingers, or loses it, ends in another look.
    """

    place: tuple[float, float] = (0.42, 0.38)  # middle of the tray [m]
    tray: float = 0.20  # inner edge of the tray [m]
    block: float = 0.04  # edge of a block [m]
    opening: float = 0.075  # of the gripper around a block [m]
    hover: float = 0.12  # height of the tool above the table, before it descends [m]
    travel: float = 0.16  # height of the tool above the table, while it carries [m]
    release: float = 0.032  # height of the tool above the table, when it lets go in the tray [m]
    fingers: Fingers = field(default_factory=Fingers)  # what they cover beside a block
    looks: int = 3  # how many sets of detections a grasp is planned on
    patience: float = tunable(4.0, low=1.0, high=30.0, unit="s")  # longest time in one phase

    def ports(self) -> Ports:
        """Everything is in the robot's base frame."""
        ports = super().ports()
        for name in ("objects", "tcp", "goal"):
            ports = ports.refine(name, frame=BASE)
        return ports

    def check(self) -> Iterable[str]:
        """Heights and widths make sense together."""
        if self.opening <= self.block:
            yield f"opening = {self.opening} m does not reach around a block of {self.block} m"
        if not self.block / 2 <= self.release < self.hover <= self.travel:
            yield "heights must rise in this order: block / 2, release, hover, travel"
        if self.looks < 1:
            yield f"looks = {self.looks}; it needs at least 1"

    def open(self) -> None:
        """Start with a look."""
        self._began = False
        self._home: Goal  # from the first step on
        self._goal: Goal
        self._looks = Looks(self.looks, self.place, self.tray / 2, self.fingers)
        self._grasp: Grasp  # from the first plan on
        self._last: Vector | None = None
        self._enter(Phase.VIEW, Time(0))

    def step(self, objects: Detections, tcp: Pose, gripper: GripperState, target: Target, now: Time) -> Goal:
        """The goal until the next set of detections."""
        if not self._began:
            self._began = True
            self._home = self._goal = Goal(
                position=tcp.position, approach=DOWN, yaw=yaw_of(tcp), gripper=self.opening, frame=BASE
            )
        settled = self._last is not None and float(np.linalg.norm(tcp.position - self._last)) < 0.001
        self._last = tcp.position
        waited = (now - self._since) / SECOND
        lost = self.phase in HOLDING and gripper.width < 0.6 * self.block
        if self.phase is Phase.VIEW:
            self._look(objects, target.label, tcp, now)
        elif lost or waited > self.patience:
            self._rise(tcp, now)
        elif self._bumped(tcp):
            self._enter(Phase.ABOVE, now)
            self._move(self._goal.position[:2], self.hover, self._goal.yaw, self.opening)
        elif self._done(tcp, waited, gripper, settled and waited > 0.3):
            self._proceed(tcp, gripper, now)
        return self._goal

    def _distance(self, tcp: Pose) -> float:
        return float(np.linalg.norm(self._goal.position - tcp.position))

    def _bumped(self, tcp: Pose) -> bool:
        """Something pushed it aside on the way down; from here the fingers could land on the block."""
        aside = float(np.linalg.norm((self._goal.position - tcp.position)[:2]))
        above = float(tcp.position[2] - self._goal.position[2])
        return self.phase is Phase.DESCEND and aside > 0.012 and above > self.block / 2

    def _turn(self, tcp: Pose) -> float:
        return abs(math.remainder(yaw_of(tcp) - self._goal.yaw, math.pi))

    def _look(self, objects: Detections, label: str, tcp: Pose, now: Time) -> None:
        if self._distance(tcp) > 0.02:
            return
        grasp = self._looks.look(objects, label)
        if grasp is not None:
            self._grasp = grasp
            self._enter(Phase.ABOVE, now)
            self._move(grasp.position[:2], self.hover, grasp.yaw, self.opening)

    def _done(self, tcp: Pose, waited: float, gripper: GripperState, settled: bool) -> bool:
        distance = self._distance(tcp)
        match self.phase:
            case Phase.DESCEND | Phase.LOWER:
                return distance < 0.003 or settled
            case Phase.CLOSE:
                return waited >= 0.2 and abs(gripper.speed) < 0.003
            case Phase.RELEASE:
                return gripper.width > self.block + 0.015 or waited > 0.5
            case Phase.ABOVE | Phase.CARRY:
                return distance < 0.006 and self._turn(tcp) < math.radians(3)
            case _:
                return distance < 0.02

    def _proceed(self, tcp: Pose, gripper: GripperState, now: Time) -> None:
        goal = self._goal
        match self.phase:
            case Phase.ABOVE:
                self._enter(Phase.DESCEND, now)
                height = max(float(self._grasp.position[2]), self.block / 2)
                self._move(goal.position[:2], height, goal.yaw, self.opening)
            case Phase.DESCEND:
                self._enter(Phase.CLOSE, now)
                self._goal = replace(goal, gripper=0.0)
            case Phase.CLOSE if gripper.width < 0.6 * self.block:
                self._rise(tcp, now)
            case Phase.CLOSE:
                self._enter(Phase.LIFT, now)
                self._move(goal.position[:2], self.travel, goal.yaw, 0.0)
            case Phase.LIFT:
                self._enter(Phase.CARRY, now)
                # The wrist keeps its turn relative to the arm, which saves it the swing of the base.
                swing = math.atan2(self.place[1], self.place[0]) - math.atan2(goal.position[1], goal.position[0])
                self._move(np.array(self.place), self.travel, goal.yaw + swing, 0.0)
            case Phase.CARRY:
                self._enter(Phase.LOWER, now)
                self._move(goal.position[:2], self.release, goal.yaw, 0.0)
            case Phase.LOWER:
                self._enter(Phase.RELEASE, now)
                self._goal = replace(goal, gripper=self.opening)
            case Phase.RELEASE:
                self._rise(tcp, now)
            case _:
                self._enter(Phase.VIEW, now)
                self._looks.forget()
                self._goal = self._home

    def _rise(self, tcp: Pose, now: Time) -> None:
        self._enter(Phase.RISE, now)
        self._move(tcp.position[:2], max(self.travel, float(tcp.position[2])), self._goal.yaw, self.opening)

    def _enter(self, phase: Phase, now: Time) -> None:
        self.phase, self._since = phase, now

    def _move(self, at: Vector, height: float, yaw: float, gripper: float) -> None:
        position = np.array([at[0], at[1], height])
        self._goal = Goal(position=position, approach=DOWN, yaw=yaw, gripper=gripper, frame=BASE)


def yaw_of(tcp: Pose) -> float:
    """Turn of a tool that points down, at which its fingers open along y; between -90° and 90° [rad]."""
    y = rotation(tcp.orientation)[:, 1]
    return math.remainder(math.atan2(float(y[0]), -float(y[1])), math.pi)
