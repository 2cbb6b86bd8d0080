"""Nodes of the airfield world: its task, and true boards in the place of a detector."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Ports, Time
from embodied.bodies import WORLD
from embodied.messages import Detections, Target
from sims.airfield.world import Airfield
from sims.object_truth import detections
from sims.world_node import WorldNode


@dataclass
class InspectionTask(WorldNode[Airfield]):
    """Task of the airfield: publish once which marker the seed wants inspected."""

    kind = Airfield
    needs = "the world sims.airfield:Airfield"

    def step(self) -> Target:
        """Return the label of the marker."""
        return Target(label=self.world.target)


@dataclass
class TrueMarkers(WorldNode[Airfield]):
    """True poses of the airfield's boards and pad whose middle the camera has in view, for `truth` profiles."""

    kind = Airfield
    needs = "the world sims.airfield:Airfield"
    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Refine the detections by the world's frame."""
        return super().ports().refine("detections", frame=WORLD)

    def step(self, now: Time) -> Detections:
        """Return the boards and the pad in view, in the order of their labels."""
        return detections((true for true in self.world.truth().values() if self.world.sees(true.position)), WORLD, now)
