"""The factory's own nodes: which block is to be delivered, where things truly are, and who takes in the photographs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from embodied import Node, Ports, Time
from embodied.bodies import WORLD
from embodied.errors import WorldFailed
from embodied.geometry import BASE
from embodied.messages import Detections, Image, Target
from embodied.world import World
from sims.factory.world import Factory, Place
from sims.tabletop.nodes import quarter_turn


@dataclass
class DeliveryTask(Node):
    """Says once which block the seed wants delivered."""

    def open(self, world: World) -> None:
        """Ask the world.

        Raises:
            WorldFailed: it is not a factory.
        """
        self._target = factory(world, type(self).__name__).target

    def step(self) -> Target:
        """The label of that block."""
        return Target(label=self._target)


@dataclass
class TrueBlocks(Node):
    """Where every block and distractor really is, in the arm's frame; for profiles without a detector."""

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Detections in the robot's base frame."""
        return super().ports().refine("detections", frame=BASE)

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it is not a factory.
        """
        self._world = factory(world, type(self).__name__)

    def step(self, now: Time) -> Detections:
        """All of them, in the order of their labels; distractors are called `grey`, as a detector would."""
        return told((true for label, true in self._world.truth().items() if label != "pad"), BASE, now)


@dataclass
class TrueSight(Node):
    """What the camera that looks down from the drone has in view, and where it really is."""

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Detections in the world's frame."""
        return super().ports().refine("detections", frame=WORLD)

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it is not a factory.
        """
        self._world = factory(world, type(self).__name__)

    def step(self, now: Time) -> Detections:
        """Blocks, distractors and the pad, in the order of their labels."""
        return told((true for true in self._world.truth().values() if self._world.sees(true.position)), WORLD, now)


@dataclass
class Archive(Node):
    """Takes in the drone's photographs, as the station that asked for them would; the judge knows them from here."""

    def open(self, world: World) -> None:
        """Take hold of the world.

        Raises:
            WorldFailed: it is not a factory.
        """
        self._world = factory(world, type(self).__name__)

    def step(self, photo: Image) -> None:
        """One photograph."""
        self._world.photographed(photo.acquired)


def told(things: Iterable[Place], frame: str, now: Time) -> Detections:
    """Things as a detector tells them, in the order of their labels."""
    listed = sorted(things, key=lambda true: true.label)
    return Detections(
        labels=tuple(true.label.rstrip("0123456789") for true in listed),
        position=np.array([true.position for true in listed]).reshape(-1, 3),
        yaw=np.array([quarter_turn(true.orientation) for true in listed]),
        score=np.ones(len(listed)),
        frame=frame,
        acquired=now,
    )


def factory(world: World, node: str) -> Factory:
    """The world as the factory that a node needs.

    Raises:
        WorldFailed: it is another world.
    """
    if not isinstance(world, Factory):
        raise WorldFailed(f"{node} needs the world sims.factory:Factory, not {type(world).__name__}")
    return world
