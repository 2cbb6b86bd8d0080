"""Holds a driver to the contract outside of any test: one truth after the other, with a person beside the device."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from embodied.errors import FOREIGN, told
from embodied.node.node import Driver
from embodied.robot import Robot
from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from embodied.testing.person import RealArmBench, RealBench


@dataclass(frozen=True, slots=True)
class Truth:
    """One part of the contract, and what came of it."""

    name: str
    status: Literal["kept", "broken", "skipped"]
    why: str = ""


def hold(node: Driver, ask: Callable[[str], bool], only: str = "") -> Iterator[Truth]:
    """Hold a driver to the contract.

    Args:
        node: as a launch file has it, closed.
        ask: tells a person what to do; False when it is not done.
        only: the truths whose name holds this.
    """
    for name in (name for name in vars(DriverContract) if name.startswith("test_")):
        words = name.removeprefix("test_").replace("_", " ")
        if only.replace("_", " ") in words:
            yield _held(_bench(node, ask), name, words)


def _bench(node: Driver, ask: Callable[[str], bool]) -> Bench:
    robot = getattr(node, "robot", None)
    return RealArmBench(node, robot, ask) if isinstance(robot, Robot) else RealBench(node, ask)


def _held(bench: Bench, name: str, words: str) -> Truth:
    class Contract(DriverContract):
        def bench(self) -> Bench:
            return bench

    try:
        getattr(Contract(), name)()
    except unittest.SkipTest as reason:
        return Truth(words, "skipped", str(reason))
    except AssertionError as error:
        return Truth(words, "broken", str(error) or "see the test of this name")
    except FOREIGN as error:
        return Truth(words, "broken", told(error))
    return Truth(words, "kept")
