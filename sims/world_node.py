"""Base of the nodes that read one class of simulated worlds: their tasks and their truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar, cast

from embodied import Node
from embodied.errors import WorldFailed
from embodied.world import World

W = TypeVar("W")


class WorldNode(Node, Generic[W]):
    """Base of a node that reads worlds of one class; a wrong world is found by `check`.

    Attributes:
        kind: class or protocol of these worlds.
        needs: name of such a world for messages.
        world: the world, once the node is open.
    """

    kind: type[Any]
    needs: str
    world: W

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world is of the class that the node needs."""
        if not isinstance(world, self.kind):
            yield f"{type(self).__name__} needs {self.needs}, not {type(world).__name__}"

    def open(self, world: World) -> None:
        """Keep the world for `step`.

        Raises:
            WorldFailed: it is of another class.
        """
        for problem in self.check_world(world):
            raise WorldFailed(problem)
        self.world = cast(W, world)
