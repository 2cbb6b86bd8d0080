"""Cloned pick and place: a network, trained on demonstrations, that outputs chunks of goals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embodied import Ports
from embodied.errors import ResultRejected
from embodied.geometry import BASE
from embodied.messages import Array, Detections, Goal, GripperState, Pose, Target, Vector
from embodied.ranges import at_least
from policies.motion.grasp import Fingers
from policies.perception.block_averaging import BlockAverager, Grasp
from policies.perception.onnx_node import OnnxNode
from policies.tasks.pick_place import DOWN, yaw_of

CHUNK = 8
"""Number of goals in one output of the network, 0.1 s apart."""

EXECUTED = 4
"""Execution horizon: number of goals that are followed before the next inference."""

STATE = 17
"""Length of the network's input."""

MOTION_MOST = 4.0
"""Largest motion within one chunk [m], [rad]; no arm of this task moves as far in 0.8 s."""


@dataclass(kw_only=True)
class ClonedPickPlace(OnnxNode):
    """Cloned pick and place: a learned policy in place of `PickPlace`, with the same ports and the same task.

    The block is detected as in `PickPlace`: with the tool at its start, and kept until the gripper that closed on it
    opens again, or is empty. Everything else is the network's: where to go, when to close, when to let go. It runs
    after every `EXECUTED` goals, and whenever the block becomes known or is lost.
    """

    model: Path = Path(__file__).parents[1] / "models" / "cloned.onnx"
    place: tuple[float, float, float] = (0.42, 0.38, 0.032)  # position of the tool when it lets go [m]
    tray: float = 0.20  # inner edge of the tray [m]
    block: float = 0.04  # edge of a block [m]
    opening: float = 0.075  # opening of the gripper around a block [m]
    looks: int = 3  # number of detections on which a grasp is planned

    inputs = {"state": Array(f"1 {STATE}", "", "float32")}
    outputs = {
        "motion": Array(f"1 {CHUNK} 4", "", "float32"),  # relative to the current tool: x, y, z [m], turn [rad]
        "closing": Array(f"1 {CHUNK}", "", "float32"),  # logits: above 0 the gripper closes
    }

    def ports(self) -> Ports:
        """Return the ports, with all poses in the robot's base frame."""
        ports = super().ports()
        for name in ("objects", "tcp", "goal"):
            ports = ports.refine(name, frame=BASE)
        return ports

    def check(self) -> Iterable[str]:
        """Check that the model fits, and that the gripper reaches around a block."""
        yield from super().check()
        if self.opening <= self.block:
            yield f"opening must be above block = {self.block} m, got {self.opening}"
        yield from at_least(1).problems(looks=self.looks)

    def open(self) -> None:
        """Load the network, and start without detections."""
        super().open()
        self._averager = BlockAverager(self.looks, self.place[:2], self.tray / 2, Fingers())
        self._observation = Observation(self.place)
        self._grasp: Grasp | None = None
        self._closed = self._used = False
        self._plan: list[Goal] = []

    def step(self, objects: Detections, tcp: Pose, gripper: GripperState, target: Target) -> Goal:
        """Return the goal until the next set of detections.

        Raises:
            ResultRejected: the network's outputs are no numbers, or no motion of an arm.
        """
        observation, known = self._observation, self._grasp is not None
        observation.update(tcp)
        if self._grasp is not None and self._used and (not self._closed or gripper.width < 0.6 * self.block):
            self._grasp = None
        if self._grasp is None:
            self._used = False
            if observation.away(tcp) > 0.02:
                self._averager.reset()
            else:
                self._grasp = self._averager.update(objects, target.label)
        if not self._plan or known != (self._grasp is not None):
            self._plan = self._chunk(observation.state(tcp, gripper, self._grasp, self._closed), tcp.position)
        goal = self._plan.pop(0)
        self._closed = goal.gripper < self.block
        self._used = self._used or self._closed
        return goal

    def _chunk(self, state: NDArray[np.float32], start: Vector) -> list[Goal]:
        outputs = self.run(state=state)
        motion, closing = outputs["motion"][0].astype(np.float64), outputs["closing"][0]
        if np.abs(motion).max() > MOTION_MOST:
            raise ResultRejected(
                f"output 'motion' must be at most {MOTION_MOST:g} m or rad, got {np.abs(motion).max():.4g}"
            )
        return [
            Goal(
                position=start + motion[k, :3],
                approach=DOWN,
                yaw=self._observation.yaw + float(motion[k, 3]),
                gripper=0.0 if closing[k] > 0.0 else self.opening,
                frame=BASE,
            )
            for k in range(EXECUTED)
        ]


class Observation:
    """Input of the cloned network: tool relative to grasp, place and start, gripper, and whether a grasp is known.

    Args:
        place: position of the tool when it lets go [m].
    """

    def __init__(self, place: tuple[float, float, float]) -> None:
        self._place = np.array(place)
        self._home: Vector | None = None
        self._home_yaw = 0.0
        self.yaw = 0.0

    def update(self, tcp: Pose) -> None:
        """Unwrap the tool's yaw, which for a parallel gripper is known only modulo half a turn."""
        if self._home is None:
            self._home, self._home_yaw = tcp.position, yaw_of(tcp)
            self.yaw = self._home_yaw
        self.yaw += math.remainder(yaw_of(tcp) - self.yaw, math.pi)

    def away(self, tcp: Pose) -> float:
        """Return the distance of the tool from its start [m]."""
        return 0.0 if self._home is None else float(np.linalg.norm(tcp.position - self._home))

    def state(self, tcp: Pose, gripper: GripperState, grasp: Grasp | None, closed: bool) -> NDArray[np.float32]:
        """Return the input of the network.

        Args:
            tcp: pose of the tool.
            gripper: state of the gripper.
            grasp: grasp for the block; None if not known.
            closed: whether the last goal closed the gripper.

        Returns:
            shape (1, STATE): translations to grasp, place and start [m]; turns to each [rad]; height [m]; width [m] and
            speed [m/s] of the gripper; closed, known.
        """
        at, home = tcp.position, tcp.position if self._home is None else self._home
        to_grasp, turn, turn_there = np.zeros(3), 0.0, 0.0
        if grasp is not None:
            to_grasp, turn = grasp.position - at, grasp.yaw - self.yaw
            # At the place the wrist has the same turn relative to the arm as at the grasp.
            swing = math.atan2(self._place[1], self._place[0]) - math.atan2(grasp.position[1], grasp.position[0])
            turn_there = turn + swing
        turns = (turn, turn_there, self._home_yaw - self.yaw)
        rest = (at[2], gripper.width, gripper.speed, float(closed), float(grasp is not None))
        return np.concatenate([to_grasp, self._place - at, home - at, turns, rest], dtype=np.float32)[None]
