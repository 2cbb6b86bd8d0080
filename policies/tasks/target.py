"""Fixed target: the label of the object to pick, from the launch file."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Node
from embodied.messages import Target


@dataclass
class NamedTarget(Node):
    """Fixed target: publish the label of the object to pick, once; in simulation the world publishes it instead."""

    label: str

    def step(self) -> Target:
        """Return the label from the settings."""
        return Target(label=self.label)
