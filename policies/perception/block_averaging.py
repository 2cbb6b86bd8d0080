"""What several looks at a block agree on, and from that the grasp."""

from __future__ import annotations

import cmath
from dataclasses import dataclass

import numpy as np

from embodied.messages import Detections, Vector
from policies.motion.grasp import Fingers, grasp_yaw


@dataclass(frozen=True, slots=True)
class Grasp:
    """Where a gripper that points down takes a block: position (3,) [m] of the tool, and its yaw [rad]."""

    position: Vector
    yaw: float


@dataclass(frozen=True, slots=True)
class Block:
    """A block, as the mean of several looks.

    Attributes:
        position: of its centre, shape (3,) [m].
        yaw: modulo a quarter turn, nearest 0 [rad].
        looks: how many the mean is of.
    """

    position: Vector
    yaw: float
    looks: int

    def seen(self, position: Vector, yaw: float) -> Block:
        """The mean with one more look; a look more than 2 cm away means that it was moved, and starts afresh."""
        if float(np.linalg.norm(position - self.position)) > 0.02:
            return Block(position, yaw, 1)
        share = 1.0 / (self.looks + 1)
        # Four times the angle, so that a quarter turn more is the same point of the circle.
        both = (1.0 - share) * cmath.rect(1.0, 4 * self.yaw) + share * cmath.rect(1.0, 4 * yaw)
        return Block(self.position + share * (position - self.position), cmath.phase(both) / 4, self.looks + 1)


class Looks:
    """Looks at one block until there are enough of them.

    Args:
        enough: how many looks a grasp needs.
        delivered: middle of the square in which a block is where it should be [m].
        half: half the edge of that square [m].
        fingers: of the gripper.
    """

    def __init__(self, enough: int, delivered: tuple[float, float], half: float, fingers: Fingers) -> None:
        self._enough = enough
        self._delivered = delivered
        self._half = half
        self._fingers = fingers
        self._block: Block | None = None

    def forget(self) -> None:
        """Start afresh."""
        self._block = None

    def look(self, objects: Detections, label: str) -> Grasp | None:
        """Take in one set of detections.

        Returns:
            the grasp, once the block was seen often enough; None before, and when it is delivered.
        """
        named = [i for i, name in enumerate(objects.labels) if name == label]
        if not named:
            return None
        surest = max(named, key=lambda i: objects.score[i])
        at, yaw = objects.position[surest], float(objects.yaw[surest])
        block = self._block = Block(at, yaw, 1) if self._block is None else self._block.seen(at, yaw)
        if block.looks < self._enough or np.abs(block.position[:2] - self._delivered).max() < self._half:
            return None
        others = [position[:2] for i, position in enumerate(objects.position) if i != surest]
        turn = grasp_yaw(block.position[:2], block.yaw, others, self._fingers)
        return Grasp(block.position, turn)
