"""A real device on the bench: a person does what a far side does by itself, and its driver alone says where it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from embodied.devices.virtual import Unsupported, VirtualDevice
from embodied.node.node import Driver
from embodied.robot import Robot
from embodied.testing.benches.arm import ArmBench
from embodied.testing.benches.bench import Bench
from embodied.testing.serving import Drive


class Person(VirtualDevice):
    """Somebody beside the device.

    Args:
        ask: tells what to do, and returns when it is done; False when it will not be done.
    """

    def __init__(self, ask: Callable[[str], bool]) -> None:
        self._ask = ask

    def _does(self, what: str) -> None:
        if not self._ask(what):
            raise Unsupported(f"nobody did this: {what}")

    def unplug(self) -> None:
        """Ask for the cable."""
        self._does("pull the cable of the device, now")

    def plug(self) -> None:
        """Ask for it again."""
        self._does("put the cable back, and wait until the device is ready")

    def press_stop(self) -> None:
        """Ask for the emergency stop."""
        self._does("press the emergency stop of the device")

    def release_stop(self) -> None:
        """Ask for its release."""
        self._does("release the emergency stop")


class RealBench(Bench):
    """A real device that takes no commands.

    Args:
        node: a driver, closed, as a launch file has it; each test is given a copy.
        ask: see `Person`.
    """

    commanded = False
    witnessed = False

    def __init__(self, node: Driver, ask: Callable[[str], bool]) -> None:
        self._node = node
        self.virtual = Person(ask)

    def driver(self, **changes: Any) -> Driver:
        """A copy of the driver, with some of its settings changed."""
        node = copy.copy(self._node)
        for name, value in changes.items():
            setattr(node, name, value)
        return node

    @contextmanager
    def served(self) -> Iterator[None]:
        """It is there."""
        yield


class RealArmBench(RealBench, ArmBench):
    """A real arm: it moves one joint by a little, slowly, from where it stands."""

    commanded = True
    swing = 0.1
    share = 0.1

    def __init__(self, node: Driver, robot: Robot, ask: Callable[[str], bool]) -> None:
        super().__init__(node, ask)
        self.robot = robot

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """A driver that is armed; the motion begins where the arm stands now."""
        with super().ready(**changes) as drive:
            if self.begin is None:
                self.begin = self.position(drive)
                if self.begin[self.joint] + self.swing > self.robot.limit("upper")[self.joint]:
                    self.swing = -self.swing
            yield drive
