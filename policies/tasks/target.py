"""What to pick, said once by whoever wrote the launch file."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Node
from embodied.messages import Target


@dataclass
class NamedTarget(Node):
    """Publishes the label of the object to pick, once. In simulation the world says it instead."""

    label: str

    def step(self) -> Target:
        """The label, as it was set."""
        return Target(label=self.label)
