"""True poses of objects in a world, and the detections that a faultless detector would publish of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from embodied.clock import Time
from embodied.geometry import rotation
from embodied.messages import Detections, Vector


@dataclass(frozen=True, slots=True)
class ObjectTruth:
    """True pose and size of one object.

    Attributes:
        label: `red`, `green`, `blue`, `yellow`, `grey0`, `grey1`, … of distractors, `marker12` of a board, or `pad`.
        position: position of its centre in the world's frame, shape (3,) [m].
        orientation: quaternion (x, y, z, w) in the world's frame, shape (4,).
        yaw: turn about the vertical axis [rad]; of a block, of the four that look the same the one nearest 0.
        size: full extents, shape (3,) [m].
        body: its number in a segmentation.
    """

    label: str
    position: Vector
    orientation: Vector
    yaw: float
    size: Vector
    body: int


def quarter_turn(orientation: Vector) -> float:
    """Return the true yaw of a block [rad], of the four that look the same the one nearest 0.

    Whichever face of a cube is down, two of its axes are level; the one that is most level gives the yaw.

    Args:
        orientation: quaternion (x, y, z, w), shape (4,).
    """
    axes = rotation(orientation)
    level = axes[:, int(np.argmin(np.abs(axes[2])))]
    return math.remainder(math.atan2(level[1], level[0]), math.pi / 2)


def class_of(label: str) -> str:
    """Return the class that a faultless detector would report: `grey` for the distractors `grey0`, `grey1`, …."""
    return label.rstrip("0123456789") if label.startswith("grey") else label


def detections(objects: Iterable[ObjectTruth], frame: str, now: Time) -> Detections:
    """Publish true objects as a faultless detector would, in the order of their labels."""
    listed = sorted(objects, key=lambda true: true.label)
    return Detections(
        labels=tuple(class_of(true.label) for true in listed),
        position=np.array([true.position for true in listed]).reshape(-1, 3),
        yaw=np.array([true.yaw for true in listed]),
        score=np.ones(len(listed)),
        frame=frame,
        acquired=now,
    )
