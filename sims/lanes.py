"""The lane as it truly is, in the place of perception, for the explicit `truth` profile."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Node, Time
from embodied.errors import WorldFailed
from embodied.messages import Lane
from embodied.world import World
from sims.road import Road


@dataclass
class TrueLane(Node):
    """How the car truly is in its lane, and what its camera has in view of it."""

    rate = 15.0  # [Hz]

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it is not a road.
        """
        if not isinstance(world, Road):
            raise WorldFailed(f"{type(self).__name__} needs the world sims.road:Road, not {type(world).__name__}")
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
