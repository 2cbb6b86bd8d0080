"""The task of the simulated table, as a node: which block belongs in the tray."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Node
from embodied.errors import WorldFailed
from embodied.messages import Target
from embodied.world import World
from sims.tabletop import Tabletop


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


def tabletop(world: World, node: str) -> Tabletop:
    """The world as the tabletop that a node needs.

    Raises:
        WorldFailed: it is another world.
    """
    if not isinstance(world, Tabletop):
        raise WorldFailed(f"{node} needs the world sims.tabletop:Tabletop, not {type(world).__name__}")
    return world
