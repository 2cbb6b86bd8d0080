"""Nodes of a suite that print, start programs, and raise what is no error."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from embodied import Time
from embodied.messages import JointState
from tests.embodied.nodes import Clock


@dataclass
class Prints(Clock):
    """Prints when it opens, at its first steps, past Python, and without a newline."""

    lines: int = 2

    def open(self) -> None:
        self.steps = 0
        print("opened")

    def step(self, now: Time) -> JointState:
        self.steps += 1
        if self.steps <= self.lines:
            print(f"step {self.steps} \x1b[31mof {now} \N{DEGREE SIGN}")
            os.write(2, b"a library\xff\n")
            print("10 %\r20 %", end="")
        return super().step(now)

    def close(self) -> None:
        print()
        self.quiet()

    def quiet(self) -> None:
        """Print something that has no node: it is a static part of the file."""
        report("closed")


@dataclass
class PrintsALot(Prints):
    """Prints at every step."""

    lines: int = 100_000


def report(text: str) -> None:
    print(text)


@dataclass
class Dies(Clock):
    """Prints, and kills its process at its third step."""

    def open(self) -> None:
        self.steps = 0

    def step(self, now: Time) -> JointState:
        self.steps += 1
        if self.steps == 3:
            print("the last words")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(now)


@dataclass
class Interrupts(Clock):
    """Raises what Ctrl-C raises."""

    def step(self, now: Time) -> JointState:
        raise KeyboardInterrupt


@dataclass
class Starts(Clock):
    """Starts programs and looks after none: one beside it, one in a session of its own."""

    path: str = ""

    def open(self) -> None:
        for session in (False, True):
            number = os.posix_spawnp("sleep", ["sleep", "600"], os.environ, setsid=session)
            with Path(self.path).open("a", encoding="utf-8") as file:
                file.write(f"{number}\n")
