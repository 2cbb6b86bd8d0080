"""Block averaging: the pose of a block from several detections, and the grasp for it."""

from __future__ import annotations

import cmath
from dataclasses import dataclass

import numpy as np

from embodied.clock import Time
from embodied.messages import Detections, Vector
from policies.motion.grasp import Fingers, grasp_yaw

MOVED = 0.02
"""Distance of a detection from the mean beyond which the block counts as moved [m]."""


@dataclass(frozen=True, slots=True)
class Grasp:
    """Pose of a gripper that points down and takes an averaged block.

    Attributes:
        position: position of the tool, shape (3,) [m].
        yaw: yaw of the tool [rad].
    """

    position: Vector
    yaw: float


@dataclass(frozen=True, slots=True)
class Block:
    """Mean pose of a block over several detections.

    Attributes:
        position: position of its centre, shape (3,) [m].
        yaw: yaw modulo a quarter turn, nearest 0 [rad].
        count: number of detections in the mean.
    """

    position: Vector
    yaw: float
    count: int

    def averaged(self, position: Vector, yaw: float) -> Block:
        """Return the mean with one more detection; if the block was moved, that detection alone."""
        if float(np.linalg.norm(position - self.position)) > MOVED:
            return Block(position, yaw, 1)
        share = 1.0 / (self.count + 1)
        # Averaged at four times the angle, where angles that differ by a quarter turn are the same.
        both = (1.0 - share) * cmath.rect(1.0, 4 * self.yaw) + share * cmath.rect(1.0, 4 * yaw)
        return Block(self.position + share * (position - self.position), cmath.phase(both) / 4, self.count + 1)


class BlockAverager:
    """Averages detections of one block until there are enough for a grasp.

    Args:
        enough: number of detections that a grasp needs.
        delivered: middle of the square in which a block counts as delivered [m].
        half: half the edge of that square [m].
        fingers: fingers of the gripper.
    """

    def __init__(self, enough: int, delivered: tuple[float, float], half: float, fingers: Fingers) -> None:
        self._enough = enough
        self._delivered = delivered
        self._half = half
        self._fingers = fingers
        self._block: Block | None = None
        self._acquired = Time(-1)

    def reset(self) -> None:
        """Forget all detections of the block."""
        self._block = None

    def update(self, objects: Detections, label: str) -> Grasp | None:
        """Add the block's detection of one image.

        Args:
            objects: detections of the image.
            label: label of the block.

        Returns:
            the grasp, once there are enough detections; None before, if the block is delivered, and of an image that
            is no newer than the last one: a camera that is stuck gives one detection, however often it comes.
        """
        if objects.acquired <= self._acquired:
            return None
        self._acquired = objects.acquired
        named = [i for i, name in enumerate(objects.labels) if name == label]
        if not named or not all(np.isfinite(part).all() for part in (objects.position, objects.yaw, objects.score)):
            # One number that is none would stay in the mean for ever.
            return None
        best = max(named, key=lambda i: objects.score[i])
        position, yaw = objects.position[best], float(objects.yaw[best])
        block = self._block = Block(position, yaw, 1) if self._block is None else self._block.averaged(position, yaw)
        if block.count < self._enough or np.abs(block.position[:2] - self._delivered).max() < self._half:
            return None
        others = [other[:2] for i, other in enumerate(objects.position) if i != best]
        turn = grasp_yaw(block.position[:2], block.yaw, others, self._fingers)
        return Grasp(block.position, turn)
