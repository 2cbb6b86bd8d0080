"""Bench of a real device: a person does what a virtual device does by itself, and only its driver measures it."""

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


class Operator(VirtualDevice):
    """Person beside a real device on its bench, in place of a virtual one.

    Args:
        ask: function that asks the person to do something, and returns when it is done; False if it is not.
    """

    def __init__(self, ask: Callable[[str], bool]) -> None:
        self._ask = ask

    def _do(self, action: str) -> None:
        if not self._ask(action):
            raise Unsupported(f"nobody did this: {action}")

    def unplug(self) -> None:
        """Ask to pull the device's cable."""
        self._do("pull the cable of the device, now")

    def plug(self) -> None:
        """Ask to put the cable back."""
        self._do("put the cable back, and wait until the device is ready")

    def press_stop(self) -> None:
        """Ask to press the emergency stop."""
        self._do("press the emergency stop of the device")

    def release_stop(self) -> None:
        """Ask to release the emergency stop."""
        self._do("release the emergency stop")


class RealBench(Bench):
    """Bench of a real device that takes no commands.

    Args:
        node: driver, closed, as a launch file configures it; each test gets a copy.
        ask: function that asks a person, see `Operator`.
    """

    commanded = False
    witnessed = False

    def __init__(self, node: Driver, ask: Callable[[str], bool]) -> None:
        self._node = node
        self.virtual = Operator(ask)

    def driver(self, **changes: Any) -> Driver:
        """Return a copy of the driver with some of its settings changed."""
        node = copy.copy(self._node)
        for name, value in changes.items():
            setattr(node, name, value)
        return node

    @contextmanager
    def served(self) -> Iterator[None]:
        """Run the test; the device is there already."""
        yield


class RealArmBench(RealBench, ArmBench):
    """Bench of a real arm, which moves one joint by a little, slowly, from where it stands.

    Args:
        node: driver, closed, as a launch file configures it; each test gets a copy.
        robot: joints and limits of the arm.
        ask: function that asks a person, see `Operator`.
    """

    commanded = True
    swing = 0.1
    share = 0.1

    def __init__(self, node: Driver, robot: Robot, ask: Callable[[str], bool]) -> None:
        super().__init__(node, ask)
        self.robot = robot

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """Open and arm a driver; the first motion begins where the arm stands."""
        with super().ready(**changes) as drive:
            if self.begin is None:
                self.begin = self.position(drive)
                if self.begin[self.joint] + self.swing > self.robot.limit("upper")[self.joint]:
                    self.swing = -self.swing
            yield drive
