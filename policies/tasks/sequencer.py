"""Sequencer of a cell: the arm loads, the shuttle drives, the drone inspects, each after the one before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from embodied import Node, Ports
from embodied.bodies import WORLD
from embodied.geometry import BASE
from embodied.messages import DroneState, GripperState, Pose, Target, Vector, VehicleState
from embodied.ranges import positive


class Stage(IntEnum):
    """Stages of a cell's order, in their sequence: load, drive, inspect."""

    LOAD = 0
    DRIVE = 1
    INSPECT = 2
    DONE = 3


class Orders(NamedTuple):
    """Output of `Dispatch`: the order for the active robot, repeated every period; None keeps a robot idle."""

    arm: Target | None
    shuttle: Target | None
    drone: Target | None


@dataclass
class Dispatch(Node):
    """Sequencer of a cell: pass the order from robot to robot, by the state that each of them reports.

    The shuttle is loaded once the gripper has carried an object of a block's size over the bed, released it there, and
    returned to its start; the shuttle has arrived once it has driven and is parked again; the drone is done once it has
    flown and is disarmed on the ground. A silent robot never passes the order on.
    """

    place: tuple[float, float]  # middle of the bed when the shuttle is loaded [m]
    bed: float = 0.28  # shorter inner edge of the bed [m]
    block: float = 0.04  # edge of a block [m]
    back: float = 0.05  # distance from its start at which the tool is out of the way [m]

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Return the ports, with the tool in the base frame and the drone in the world's."""
        return super().ports().refine("tcp", frame=BASE).refine("drone", frame=WORLD)

    def check(self) -> Iterable[str]:
        """Check that each length is positive."""
        yield from positive("m").problems(bed=self.bed, block=self.block, back=self.back)

    def open(self) -> None:
        """Start with the stage `LOAD`."""
        self.stage = Stage.LOAD
        self._start: Vector | None = None
        self._carried = self._released = False
        self._left = False

    def step(
        self,
        order: Target,
        tcp: Pose | None,
        gripper: GripperState | None,
        shuttle: VehicleState | None,
        drone: DroneState | None,
    ) -> Orders:
        """Return the order for the active robot."""
        match self.stage:
            case Stage.LOAD if tcp is not None and gripper is not None and self._loaded(tcp, gripper):
                self._go(Stage.DRIVE)
            case Stage.DRIVE if shuttle is not None and self._arrived(shuttle):
                self._go(Stage.INSPECT)
            case Stage.INSPECT if drone is not None and self._landed(drone):
                self._go(Stage.DONE)
        ready = self.stage is Stage.LOAD and shuttle is not None and parked(shuttle)
        return Orders(
            arm=order if ready else None,
            shuttle=order if self.stage is Stage.DRIVE else None,
            drone=order if self.stage is Stage.INSPECT else None,
        )

    def _loaded(self, tcp: Pose, gripper: GripperState) -> bool:
        if self._start is None:
            self._start = tcp.position.copy()
        over = bool(np.abs(tcp.position[:2] - self.place).max() < self.bed / 2)
        holding = 0.6 * self.block < gripper.width < self.block + 0.01
        if over:
            # A block that slips out does not count as released: then the gripper is closed.
            self._released = self._carried and not holding and gripper.width > self.block
            self._carried = holding or (self._carried and gripper.width > self.block)
        elif not self._released:
            self._carried = False
        return self._released and float(np.linalg.norm(tcp.position - self._start)) < self.back

    def _arrived(self, shuttle: VehicleState) -> bool:
        self._left = self._left or not parked(shuttle)
        return self._left and parked(shuttle)

    def _landed(self, drone: DroneState) -> bool:
        self._left = self._left or (drone.armed and not drone.landed)
        return self._left and drone.landed and not drone.armed

    def _go(self, stage: Stage) -> None:
        self.stage, self._left = stage, False


def parked(shuttle: VehicleState) -> bool:
    """Return whether the cell's shuttle stands in gear P."""
    return shuttle.gear == "P" and abs(shuttle.speed) < 0.05
