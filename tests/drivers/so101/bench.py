"""An SO-101 on the bench: the very driver, six virtual servos on a pseudo-terminal, and an arm behind them.

What is about the wire alone has a plain kinematic arm there, the contract and the faults have PyBullet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from drivers.so101 import SO101, codec, control_table
from drivers.so101.calibration import JointCalibration
from drivers.so101.codec import Frame, Instruction
from drivers.so101.control_table import Register
from drivers.so101.servos import IDS, NAMES, ServoScale
from drivers.so101.virtual import VirtualSO101
from embodied.node.node import Driver
from embodied.testing.benches.arm import ArmBench
from embodied.testing.benches.bench import Published
from embodied.testing.serving import pause
from embodied.world import World
from sims.tabletop.world import Tabletop
from tests.drivers.kinematic import KinematicWorld
from tests.embodied.robots import robot

ROBOT = robot("so101")

CALIBRATION = {
    name: JointCalibration(offset=0.1 * i - 0.2, sign=(-1) ** i, lower=-2.9, upper=2.9) for i, name in enumerate(NAMES)
}
"""Calibration with another offset for each joint, and every other one turned against its servo."""


class SO101Bench(ArmBench):
    """One arm, on a table of its own; what is set is so at both ends of the wire.

    Attributes:
        arm: virtual arm on the bench.
    """

    robot = ROBOT

    def __init__(self, **settings: Any) -> None:
        self.arm = VirtualSO101(self.robot, **settings)
        self.virtual = self.arm
        self.world = self._world()
        self._settings = settings

    def _world(self) -> World:
        return Tabletop(self.robot, objects=1)

    @classmethod
    def at(cls, where: str) -> SO101Bench:
        """Return a bench whose virtual device is served at an address by another process."""
        bench = cls()
        bench.virtual.address = where
        return bench

    def driver(self, **changes: Any) -> Driver:
        return self.so101(**changes)

    def parts(self) -> dict[str, Published]:
        return {"elbow_flex": lambda outputs: "state" in outputs, "gripper": lambda outputs: "gripper" in outputs}

    @contextmanager
    def silent(self, part: str) -> Iterator[None]:
        self.arm.mute(part)
        try:
            yield
        finally:
            self.arm.mute()

    @contextmanager
    def unanswered(self) -> Iterator[None]:
        self.arm.mute(*NAMES)
        try:
            yield
        finally:
            self.arm.mute()

    def replacement(self) -> Callable[[], None]:
        return lambda: self.arm.replace("SOMEBODY-ELSES")

    def intrusions(self) -> dict[str, Callable[[], None]]:
        pan, roll = IDS[0], IDS[4]
        everybody = codec.BROADCAST
        near_home = ServoScale(self.arm.calibration).ticks(self.robot.limit("home"), self.robot.opening / 2) + 60
        goals = {servo: control_table.GOAL.pack(round(tick)) for servo, tick in zip(IDS, near_home, strict=True)}
        all_goals = codec.sync_write(control_table.GOAL.address, goals)
        return {
            "another program moves a joint": lambda: self.tell(pan, control_table.GOAL, 1900),
            "another program moves all joints": lambda: self.other(all_goals),
            "another program switches its motors off": lambda: self.tell(everybody, control_table.TORQUE, 0),
            "another program switches one motor off": lambda: self.tell(pan, control_table.TORQUE, 0),
            "one servo restarts": lambda: self.other(Frame(roll, Instruction.REBOOT)),
            "all servos restart": lambda: self.other(Frame(everybody, Instruction.REBOOT)),
        }

    def tell(self, servo: int, register: Register, count: int) -> None:
        """Write a register as another program on the same bus."""
        self.other(codec.write(servo, register.address, register.pack(count)))

    def other(self, frame: Frame) -> None:
        """Send a frame as another program on the same bus, and wait until what it does is done."""
        pause(0.05)  # until what the driver has written last is carried out
        self.arm.receive(frame)
        pause(0.4)

    def so101(self, **changes: Any) -> SO101:
        return SO101(**{"robot": self.robot, "port": self.virtual.address, **self._settings, **changes})


class KinematicBench(SO101Bench):
    """One arm, and no physics."""

    def _world(self) -> World:
        return KinematicWorld(self.robot)
