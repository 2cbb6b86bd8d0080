"""Pick and place as a network learned it from demonstrations, in chunks of goals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embodied import Ports
from embodied.geometry import BASE
from embodied.messages import Array, Detections, Goal, GripperState, Pose, Target, Vector
from policies.motion.grasp import Fingers
from policies.perception.block_averaging import Grasp, Looks
from policies.perception.onnx_node import OnnxNode
from policies.tasks.pick_place import DOWN, yaw_of

CHUNK = 8
"""Goals in one answer of the network, a tenth of a second apart."""

EXECUTED = 4
"""How many of them are followed before it is asked again: the execution horizon."""

STATE = 17
"""Length of what the network is told."""


@dataclass(kw_only=True)
class ClonedPickPlace(OnnxNode):
    """Takes the place of `PickPlace`: same wires, same task, but the motion is learned.

    What is remembered of the block is as in `PickPlace`: looks from where the tool began, until the gripper that closed
    on it opens again, or is empty. The rest is the network's: where to go, when to close, when to let go. It is asked
    after every `EXECUTED` goals, and whenever the block becomes known or is lost.
    """

    model: Path = Path(__file__).parents[1] / "models" / "cloned.onnx"
    place: tuple[float, float, float] = (0.42, 0.38, 0.032)  # where the tool lets go [m]
    tray: float = 0.20  # inner edge of the tray [m]
    block: float = 0.04  # edge of a block [m]
    opening: float = 0.075  # of the gripper around a block [m]
    looks: int = 3  # how many sets of detections a grasp is planned on

    inputs = {"state": Array(f"1 {STATE}", "", "float32")}
    outputs = {
        "motion": Array(f"1 {CHUNK} 4", "", "float32"),  # from the present tool: x, y, z [m], turn [rad]
        "closing": Array(f"1 {CHUNK}", "", "float32"),  # above 0: the gripper shall close
    }

    def ports(self) -> Ports:
        """Everything is in the robot's base frame."""
        ports = super().ports()
        for name in ("objects", "tcp", "goal"):
            ports = ports.refine(name, frame=BASE)
        return ports

    def check(self) -> Iterable[str]:
        """The model fits, and the gripper reaches around a block."""
        yield from super().check()
        if self.opening <= self.block:
            yield f"opening = {self.opening} m does not reach around a block of {self.block} m"
        if self.looks < 1:
            yield f"looks = {self.looks}; it needs at least 1"

    def open(self) -> None:
        """Load the network, and start with a look."""
        super().open()
        self._looks = Looks(self.looks, self.place[:2], self.tray / 2, Fingers())
        self._situation = Situation(self.place)
        self._grasp: Grasp | None = None
        self._closed = self._used = False
        self._plan: list[Goal] = []

    def step(self, objects: Detections, tcp: Pose, gripper: GripperState, target: Target) -> Goal:
        """The goal until the next set of detections."""
        situation, knew = self._situation, self._grasp is not None
        situation.follow(tcp)
        if self._grasp is not None and self._used and (not self._closed or gripper.width < 0.6 * self.block):
            self._grasp = None
        if self._grasp is None:
            self._used = False
            if situation.away(tcp) > 0.02:
                self._looks.forget()
            else:
                self._grasp = self._looks.look(objects, target.label)
        if not self._plan or knew != (self._grasp is not None):
            self._plan = self._chunk(situation.state(tcp, gripper, self._grasp, self._closed), tcp.position)
        goal = self._plan.pop(0)
        self._closed = goal.gripper < self.block
        self._used = self._used or self._closed
        return goal

    def _chunk(self, state: NDArray[np.float32], start: Vector) -> list[Goal]:
        answer = self.run(state=state)
        motion, closing = answer["motion"][0].astype(np.float64), answer["closing"][0]
        return [
            Goal(
                position=start + motion[k, :3],
                approach=DOWN,
                yaw=self._situation.yaw + float(motion[k, 3]),
                gripper=0.0 if closing[k] > 0.0 else self.opening,
                frame=BASE,
            )
            for k in range(EXECUTED)
        ]


class Situation:
    """What the network is told: the tool as seen from the places that matter, the gripper, and what is known.

    Args:
        place: where the tool lets go [m].
    """

    def __init__(self, place: tuple[float, float, float]) -> None:
        self._place = np.array(place)
        self._home: Vector | None = None
        self._home_yaw = 0.0
        self.yaw = 0.0

    def follow(self, tcp: Pose) -> None:
        """Keep count of the tool's turn, which a quaternion gives only modulo half a turn of a parallel gripper."""
        if self._home is None:
            self._home, self._home_yaw = tcp.position, yaw_of(tcp)
            self.yaw = self._home_yaw
        self.yaw += math.remainder(yaw_of(tcp) - self.yaw, math.pi)

    def away(self, tcp: Pose) -> float:
        """Distance from where the tool began [m]."""
        return 0.0 if self._home is None else float(np.linalg.norm(tcp.position - self._home))

    def state(self, tcp: Pose, gripper: GripperState, grasp: Grasp | None, closed: bool) -> NDArray[np.float32]:
        """The network's input.

        Args:
            tcp: where the tool is.
            gripper: what it holds.
            grasp: where the block is to be taken, if that is known.
            closed: whether the gripper was last told to close.

        Returns:
            shape (1, STATE): ways to grasp, place and beginning [m]; turns to each [rad]; height [m]; width [m] and
            speed [m/s] of the gripper; closed, known.
        """
        at, home = tcp.position, tcp.position if self._home is None else self._home
        to_grasp, turn, turn_there = np.zeros(3), 0.0, 0.0
        if grasp is not None:
            to_grasp, turn = grasp.position - at, grasp.yaw - self.yaw
            # In the tray the hand has the turn to the arm that it took the block with.
            swing = math.atan2(self._place[1], self._place[0]) - math.atan2(grasp.position[1], grasp.position[0])
            turn_there = turn + swing
        turns = (turn, turn_there, self._home_yaw - self.yaw)
        rest = (at[2], gripper.width, gripper.speed, float(closed), float(grasp is not None))
        return np.concatenate([to_grasp, self._place - at, home - at, turns, rest], dtype=np.float32)[None]
