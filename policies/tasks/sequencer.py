"""Whose turn it is: the arm loads, the shuttle drives, the drone inspects, each when the one before is done."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from embodied import Node, Ports
from embodied.bodies import WORLD
from embodied.geometry import BASE
from embodied.messages import DroneState, GripperState, Pose, Target, Vector, VehicleState


class Stage(IntEnum):
    """What is under way, in this order."""

    LOAD = 0
    DRIVE = 1
    INSPECT = 2
    DONE = 3


class Turn(NamedTuple):
    """The order, told to whoever has his turn, again and again: who hears nothing does nothing."""

    arm: Target | None
    shuttle: Target | None
    drone: Target | None


@dataclass
class Dispatch(Node):
    """Follows what each robot says of itself, and hands the order on.

    The shuttle is loaded once the gripper has carried something of a block's size over the bed, let go of it there, and
    come back to where it began; the shuttle has arrived once it has driven and is parked again; the drone is done once
    it has flown and stands with its rotors off. Silence of a robot never moves the order on.
    """

    place: tuple[float, float]  # middle of the bed where the shuttle is loaded [m]
    bed: float = 0.28  # inner edge of the bed, the shorter [m]
    block: float = 0.04  # edge of a block [m]
    back: float = 0.05  # this near to where it began, the tool is out of the way [m]

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """The tool in the robot's base frame, the drone in the world's."""
        return super().ports().refine("tcp", frame=BASE).refine("drone", frame=WORLD)

    def check(self) -> Iterable[str]:
        """Sizes are sizes."""
        for name in ("bed", "block", "back"):
            if not 0.0 < getattr(self, name) < math.inf:
                yield f"{name} = {getattr(self, name)} m is not above 0 and finite"

    def open(self) -> None:
        """Nothing is done yet."""
        self.stage = Stage.LOAD
        self._began: Vector | None = None
        self._carried = self._released = False
        self._left = False

    def step(
        self,
        order: Target,
        tcp: Pose | None,
        gripper: GripperState | None,
        shuttle: VehicleState | None,
        drone: DroneState | None,
    ) -> Turn:
        """Whose turn it is now."""
        match self.stage:
            case Stage.LOAD if tcp is not None and gripper is not None and self._loaded(tcp, gripper):
                self._go(Stage.DRIVE)
            case Stage.DRIVE if shuttle is not None and self._arrived(shuttle):
                self._go(Stage.INSPECT)
            case Stage.INSPECT if drone is not None and self._landed(drone):
                self._go(Stage.DONE)
        ready = self.stage is Stage.LOAD and shuttle is not None and parked(shuttle)
        return Turn(
            arm=order if ready else None,
            shuttle=order if self.stage is Stage.DRIVE else None,
            drone=order if self.stage is Stage.INSPECT else None,
        )

    def _loaded(self, tcp: Pose, gripper: GripperState) -> bool:
        if self._began is None:
            self._began = tcp.position.copy()
        over = bool(np.abs(tcp.position[:2] - self.place).max() < self.bed / 2)
        holding = 0.6 * self.block < gripper.width < self.block + 0.01
        if over:
            # What slips out of the gripper on the way never counts: it is closed by then.
            self._released = self._carried and not holding and gripper.width > self.block
            self._carried = holding or (self._carried and gripper.width > self.block)
        elif not self._released:
            self._carried = False
        return self._released and float(np.linalg.norm(tcp.position - self._began)) < self.back

    def _arrived(self, shuttle: VehicleState) -> bool:
        self._left = self._left or not parked(shuttle)
        return self._left and parked(shuttle)

    def _landed(self, drone: DroneState) -> bool:
        self._left = self._left or (drone.armed and not drone.landed)
        return self._left and drone.landed and not drone.armed

    def _go(self, stage: Stage) -> None:
        self.stage, self._left = stage, False


def parked(shuttle: VehicleState) -> bool:
    """Whether a vehicle stands with its gear in park."""
    return shuttle.gear == "P" and abs(shuttle.speed) < 0.05
