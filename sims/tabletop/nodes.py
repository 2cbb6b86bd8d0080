"""Nodes of the tabletop world: its task, and true poses in the place of a detector."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Ports, Time
from embodied.geometry import BASE
from embodied.messages import Detections, Target
from sims.object_truth import detections
from sims.tabletop.world import Tabletop
from sims.world_node import WorldNode


@dataclass
class TabletopTask(WorldNode[Tabletop]):
    """Task of the tabletop: publish once which block the seed wants in the tray."""

    kind = Tabletop
    needs = "the world sims.tabletop:Tabletop"

    def step(self) -> Target:
        """Return the label of the block."""
        return Target(label=self.world.target)


@dataclass
class TruePoses(WorldNode[Tabletop]):
    """True poses of the tabletop's blocks and distractors; distractors are called `grey`, as a detector would."""

    kind = Tabletop
    needs = "the world sims.tabletop:Tabletop"
    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Refine the detections by the robot's base frame."""
        return super().ports().refine("detections", frame=BASE)

    def step(self, now: Time) -> Detections:
        """Return all objects in the order of their labels."""
        return detections(self.world.truth().values(), BASE, now)
