"""Run of the driver contract outside of pytest: one test after the other, with a person beside a real device."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from embodied.errors import FOREIGN, error_text
from embodied.node.node import Driver
from embodied.robot import Robot
from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from embodied.testing.real_device import RealArmBench, RealBench


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one test of a driver contract's run.

    Attributes:
        name: name of the test, as words.
        status: whether the driver keeps this part of the contract.
        why: reason, if it does not or the test was skipped.
    """

    name: str
    status: Literal["kept", "broken", "skipped"]
    why: str = ""


def run_contract(node: Driver, ask: Callable[[str], bool], only: str = "") -> Iterator[Outcome]:
    """Run the driver contract outside of pytest, and yield the outcome of each test.

    Args:
        node: driver, closed, as a launch file configures it.
        ask: function that asks a person to do something; it returns False if it is not done.
        only: part of the names of the tests to run; empty runs all.
    """
    rules = (name for part in DriverContract.__mro__ for name in vars(part) if name.startswith("test_"))
    for name in rules:
        words = name.removeprefix("test_").replace("_", " ")
        if only.replace("_", " ") in words:
            yield _run(_bench(node, ask), name, words)


def _bench(node: Driver, ask: Callable[[str], bool]) -> Bench:
    robot = getattr(node, "robot", None)
    return RealArmBench(node, robot, ask) if isinstance(robot, Robot) else RealBench(node, ask)


def _run(bench: Bench, name: str, words: str) -> Outcome:
    class Contract(DriverContract):
        def bench(self) -> Bench:
            return bench

    try:
        getattr(Contract(), name)()
    except unittest.SkipTest as reason:
        return Outcome(words, "skipped", str(reason))
    except AssertionError as error:
        return Outcome(words, "broken", str(error) or "see the test of this name")
    except FOREIGN as error:
        return Outcome(words, "broken", error_text(error))
    return Outcome(words, "kept")
