"""A floor for goals: the first node of a project of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from embodied import Node, Ports
from embodied.geometry import BASE
from embodied.messages import Goal


@dataclass
class Floor(Node):
    """Raises goals that lie too low, on each new one; what came of them is checked by the guard all the same.

    Attributes:
        height: the lowest that the tool may be sent, above the base [m].
    """

    height: float = 0.01  # [m]

    def ports(self) -> Ports:
        """Heights are those of the base frame, in which the table top is at 0."""
        return super().ports().refine("goal", frame=BASE)

    def check(self) -> Iterable[str]:
        """The floor is not below the table."""
        if self.height < 0:
            yield f"height = {self.height} m is below the table"

    def step(self, goal: Goal) -> Goal:
        """The goal, or the point of the floor above it."""
        x, y, z = goal.position.tolist()
        return replace(goal, position=np.array([x, y, max(z, self.height)]))
