"""The lane as it truly is, in the place of perception, for the explicit `truth` profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from embodied import Node, Time
from embodied.errors import WorldFailed
from embodied.messages import Lane
from embodied.world import World
from sims.rendering.forward import Ahead


@runtime_checkable
class Paved(Protocol):
    """A world with a shuttle on a lane."""

    def ahead(self) -> Ahead:
        """How the shuttle truly is in its lane, and what its camera has in view of that."""


@dataclass
class TrueLane(Node):
    """How the car truly is in its lane, and what its camera has in view of it."""

    rate = 15.0  # [Hz]

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it has no lane.
        """
        if not isinstance(world, Paved):
            raise WorldFailed(
                f"{type(self).__name__} needs a world with a lane, such as sims.road:Road, not {type(world).__name__}"
            )
        self._world = world

    def step(self, now: Time) -> Lane:
        """As a camera would see it that makes no mistakes."""
        true = self._world.ahead()
        return Lane(
            offset=true.offset,
            heading=true.heading,
            curvature=true.curvature,
            obstacle=true.obstacle,
            stop_line=true.stop_line,
            score=1.0,
            acquired=now,
        )
