"""Floor for goals of an arm: an example of a node of this project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from embodied import Node, Ports
from embodied.geometry import BASE
from embodied.messages import Goal


@dataclass
class Floor(Node):
    """Raise goals that lie too low, on each new goal; the guard checks every command nevertheless.

    Attributes:
        height: lowest height of a goal above the base [m].
    """

    height: float = 0.01  # [m]

    def ports(self) -> Ports:
        """Declare that goals are in the base frame, in which the table top is at 0."""
        return super().ports().refine("goal", frame=BASE)

    def check(self) -> Iterable[str]:
        """Refuse a floor below the table."""
        if self.height < 0:
            yield f"height must be at least 0 m, got {self.height}"

    def step(self, goal: Goal) -> Goal:
        """Return the goal, raised to the floor if it is below."""
        x, y, z = goal.position.tolist()
        return replace(goal, position=np.array([x, y, max(z, self.height)]))
