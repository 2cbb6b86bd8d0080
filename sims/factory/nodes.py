"""Nodes of the factory world: its task, true poses in the place of detectors, and the archive of photographs."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Ports, Time
from embodied.bodies import WORLD
from embodied.geometry import BASE
from embodied.messages import Detections, Image, Target
from sims.airfield.scene import PAD_LABEL
from sims.factory.world import Factory
from sims.object_truth import detections
from sims.world_node import WorldNode


@dataclass
class DeliveryTask(WorldNode[Factory]):
    """Task of the factory: publish once which block the seed wants delivered."""

    kind = Factory
    needs = "the world sims.factory:Factory"

    def step(self) -> Target:
        """Return the label of the block."""
        return Target(label=self.world.target)


@dataclass
class TrueBlocks(WorldNode[Factory]):
    """True poses of the factory's blocks and distractors in the arm's frame, for profiles without a detector."""

    kind = Factory
    needs = "the world sims.factory:Factory"
    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Refine the detections by the robot's base frame."""
        return super().ports().refine("detections", frame=BASE)

    def step(self, now: Time) -> Detections:
        """Return all objects in the order of their labels; distractors are called `grey`."""
        return detections((true for true in self.world.truth().values() if true.label != PAD_LABEL), BASE, now)


@dataclass
class TrueSight(WorldNode[Factory]):
    """True poses of the factory's objects that the drone's downward camera has in view."""

    kind = Factory
    needs = "the world sims.factory:Factory"
    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Refine the detections by the world's frame."""
        return super().ports().refine("detections", frame=WORLD)

    def step(self, now: Time) -> Detections:
        """Return blocks, distractors and the pad in view, in the order of their labels."""
        return detections((true for true in self.world.truth().values() if self.world.sees(true.position)), WORLD, now)


@dataclass
class Archive(WorldNode[Factory]):
    """Archive of the drone's photographs of the factory; the judge learns from it which were taken."""

    kind = Factory
    needs = "the world sims.factory:Factory"

    def step(self, photo: Image) -> None:
        """Hand one photograph to the judge."""
        self.world.archive(photo.acquired)
