"""The errand of the simulated airfield, as nodes: which marker to inspect, and where the boards in view truly are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied import Node, Ports, Time
from embodied.bodies import WORLD
from embodied.errors import WorldFailed
from embodied.messages import Detections, Target
from embodied.world import World
from sims.airfield.world import Airfield


@dataclass
class InspectionTask(Node):
    """Says once which marker the seed wants inspected."""

    def open(self, world: World) -> None:
        """Ask the world.

        Raises:
            WorldFailed: it is not an airfield.
        """
        self._target = airfield(world, type(self).__name__).target

    def step(self) -> Target:
        """The label of that marker."""
        return Target(label=self._target)


@dataclass
class TrueMarkers(Node):
    """Where the boards and the pad truly are whose middle the camera that looks down has in view; for `truth` alone."""

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Detections in the world's frame."""
        return super().ports().refine("detections", frame=WORLD)

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it is not an airfield.
        """
        self._world = airfield(world, type(self).__name__)

    def step(self, now: Time) -> Detections:
        """What is in view, in the order of the labels."""
        boards = [true for _, true in sorted(self._world.truth().items()) if self._world.sees(true.position)]
        return Detections(
            labels=tuple(true.label for true in boards),
            position=np.array([true.position for true in boards]).reshape(-1, 3),
            yaw=np.array([true.yaw for true in boards]),
            score=np.ones(len(boards)),
            frame=WORLD,
            acquired=now,
        )


def airfield(world: World, node: str) -> Airfield:
    """The world as the airfield that a node needs.

    Raises:
        WorldFailed: it is another world.
    """
    if not isinstance(world, Airfield):
        raise WorldFailed(f"{node} needs the world sims.airfield:Airfield, not {type(world).__name__}")
    return world
