"""An xArm 6 on the bench: the very driver, a virtual control box on a loopback address, and PyBullet behind it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from drivers.xarm import XArm
from drivers.xarm.codec import Mode, Register, State, floats, seven
from drivers.xarm.virtual import VirtualXArm
from embodied.node.node import Driver
from embodied.testing.benches.arm import ArmBench
from embodied.testing.benches.bench import Published
from embodied.testing.serving import pause
from sims.tabletop.world import Tabletop
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.xarm.client import Client
from tests.embodied.robots import robot
from tests.processes import worker

PORT = 15502
"""Port 502 needs a right that a test has not."""

_numbers = itertools.count(1)


def address() -> str:
    """A loopback address that no other bench has, in this process or in another."""
    return f"127.{101 + worker()}.{os.getpid() % 250 + 1}.{next(_numbers) % 250 + 1}"


def _temperature(outputs: dict[str, Any]) -> bool:
    return outputs["status"].temperature is not None


class BoxBench(ArmBench):
    """An arm behind a virtual control box, and what others do to that box."""

    box: VirtualXArm
    reported_within = 0.7

    def driver(self, **changes: Any) -> Driver:
        return XArm(**{"robot": self.robot, "host": self.box.host, "port": PORT, **changes})

    def parts(self) -> dict[str, Published]:
        return {"joints": lambda outputs: "state" in outputs, "gripper": lambda outputs: "gripper" in outputs} | {
            "report": _temperature
        }

    @contextmanager
    def silent(self, part: str) -> Iterator[None]:
        if part == "gripper":
            self.box.unplug_gripper(True)
        else:
            self.box.withhold(part)
        try:
            yield
        finally:
            self.box.withhold()
            self.box.unplug_gripper(False)

    def unanswered(self) -> AbstractContextManager[None]:
        return self.silent("orders")

    def replacement(self) -> Callable[[], None]:
        return self.box.replace

    def intrusions(self) -> dict[str, Callable[[], None]]:
        return {
            "another client moves it and restores the mode": self._moves,
            "another client changes the mode": partial(self._takes, Mode.PLANNED),
            "another client streams targets": self._streams,
            "another client stops it": partial(self._orders, State.STOPPED),
            "another client pauses it": partial(self._orders, State.PAUSED),
            "another client switches its motors off": self._switches_off,
            "it restarts": self._restarts,
        }

    def client(self) -> Client:
        """Return another client of the box."""
        return Client(self.box.host, PORT)

    def _moves(self) -> None:
        goal = self.box.position()
        goal[self.joint] -= 0.5
        with self.client() as client:
            client.take(Mode.PLANNED)
            client.move(goal)
            client.take(Mode.SERVO)

    def _streams(self) -> None:
        goal = self.box.position()
        with self.client() as client:
            for _ in range(20):
                goal[self.joint] -= 0.02
                client.order(Register.SERVO_JOINT, floats([*seven(goal.tolist()), 0.0, 0.0, 0.0]))
                pause(0.01)
        pause(0.3)

    def _takes(self, mode: Mode) -> None:
        with self.client() as client:
            client.take(mode)

    def _orders(self, state: State) -> None:
        with self.client() as client:
            client.order(Register.SET_STATE, bytes([state]))

    def _switches_off(self) -> None:
        with self.client() as client:
            client.order(Register.ENABLE, bytes([8, 0]))

    def _restarts(self) -> None:
        self.box.restart()
        pause(0.1)


class XArmBench(BoxBench):
    """An xArm 6 on a table of its own."""

    robot = robot("xarm6")

    def __init__(self, host: str = "") -> None:
        self.box = VirtualXArm(self.robot, host=host or address(), port=PORT)
        self.virtual = self.box
        self.world = Tabletop(self.robot, objects=1)

    @classmethod
    def at(cls, where: str) -> XArmBench:
        """Return a bench whose virtual device is served at an address by another process."""
        return cls(where.partition(":")[0])


class XArm7Bench(BoxBench):
    """An xArm 7, of which there is no simulated body: a plain one stands behind its wire."""

    robot = robot("xarm7")
    joint = 3

    def __init__(self) -> None:
        self.box = VirtualXArm(self.robot, host=address(), port=PORT)
        self.virtual = self.box
        self.world = KinematicWorld(self.robot)
