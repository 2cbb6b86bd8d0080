"""Nodes of the tabletop world: its task, and true poses in the place of a detector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied import Node, Ports, Time
from embodied.errors import WorldFailed
from embodied.geometry import BASE, rotation
from embodied.messages import Detections, Target, Vector
from embodied.world import World
from sims.tabletop.world import Tabletop


@dataclass
class TabletopTask(Node):
    """Says once which block the seed wants in the tray."""

    def open(self, world: World) -> None:
        """Ask the world.

        Raises:
            WorldFailed: it is not a tabletop.
        """
        self._target = tabletop(world, type(self).__name__).target

    def step(self) -> Target:
        """The label of that block."""
        return Target(label=self._target)


@dataclass
class TruePoses(Node):
    """Where every block and distractor really is; distractors are called `grey`, as a detector would."""

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Detections in the robot's base frame."""
        return super().ports().refine("detections", frame=BASE)

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it is not a tabletop.
        """
        self._world = tabletop(world, type(self).__name__)

    def step(self, now: Time) -> Detections:
        """All objects, in the order of their labels."""
        objects = sorted(self._world.truth().items())
        return Detections(
            labels=tuple(label.rstrip("0123456789") for label, _ in objects),
            position=np.stack([true.position for _, true in objects]),
            yaw=np.array([quarter_turn(true.orientation) for _, true in objects]),
            score=np.ones(len(objects)),
            frame=BASE,
            acquired=now,
        )


def quarter_turn(orientation: Vector) -> float:
    """Yaw of a block [rad], of the four that look the same the one nearest 0.

    Whichever face of a cube is down, two of its axes are level; the one that is most level gives the yaw.

    Args:
        orientation: quaternion (x, y, z, w), shape (4,).
    """
    axes = rotation(orientation)
    level = axes[:, int(np.argmin(np.abs(axes[2])))]
    return math.remainder(math.atan2(level[1], level[0]), math.pi / 2)


def tabletop(world: World, node: str) -> Tabletop:
    """The world as the tabletop that a node needs.

    Raises:
        WorldFailed: it is another world.
    """
    if not isinstance(world, Tabletop):
        raise WorldFailed(f"{node} needs the world sims.tabletop:Tabletop, not {type(world).__name__}")
    return world
