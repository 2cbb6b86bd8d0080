"""Nodes that end in each way in which a node can fail to end."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from embodied import Driver, Node
from embodied.errors import NotStopped
from embodied.messages import Target
from embodied.node.identity import Identity
from tests.embodied.live.nodes import wait


def fail(how: str) -> None:
    """Fail in one way."""
    if how == "not stopped":
        raise NotStopped("the arm does not confirm that it has stopped")
    if how == "raise":
        raise ValueError("a bad day")
    if how == "exit":
        raise SystemExit(0)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "gone":
        os._exit(7)
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "hang":
        wait(60.0)


@dataclass
class Ends(Node):
    """Fails when it is closed, in the way of its setting `how`."""

    how: str = ""

    rate = 50.0

    def step(self) -> Target:
        return Target(label=self.how)

    def close(self) -> None:
        fail(self.how)


@dataclass
class Device(Driver):
    """A device without a command, whose driver fails when it is closed."""

    how: str = ""
    opens: bool = True

    rate = 50.0
    stops_within = 0.0

    def identify(self) -> Identity:
        if not self.opens:
            raise RuntimeError("the device is not there")
        return Identity(model="a device", virtual=True)

    def step(self) -> Target:
        return Target(label=self.how)

    def close(self) -> None:
        fail(self.how)


@dataclass
class Raises(Node):
    """Raises what is no error of a program at its third step; its own end is told in a file."""

    path: str = ""

    rate = 50.0

    def open(self) -> None:
        self.steps = 0

    def step(self) -> Target:
        self.steps += 1
        if self.steps == 3:
            raise KeyboardInterrupt
        return Target(label="")

    def close(self) -> None:
        Path(self.path).write_text("closed")


@dataclass
class Says(Node):
    """Prints what ASCII has no signs for."""

    rate = 20.0

    def step(self) -> None:
        print("21 \N{DEGREE SIGN}C, \N{CJK UNIFIED IDEOGRAPH-732B}")
