"""Small real nodes that the tests of the live runner put into processes of their own."""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

import embodied
from embodied import Guard, Node, Ports, Stamped, Time, tunable
from embodied.errors import LaunchError, Problem
from embodied.links.memory import available
from embodied.messages import GuardReport, Image, JointState, Reset, Stop, Target
from embodied.messages.schema import Array, Message, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Message):
    """A number, and what was made of it."""

    number: Annotated[int, Unit("")]
    squares: Annotated[NDArray[np.float64], Array("k")]
    text: str = ""


def count(number: int, size: int = 3, text: str = "") -> Count:
    return Count(number=number, squares=np.full(size, float(number) ** 2), text=text)


def wait(seconds: float) -> None:
    """Block for a time [s], as a node does whose device does not answer."""
    select.select([], [], [], seconds)


@dataclass
class Age(Node):
    """Tells the least and the greatest age of measurements so far [ms]; negative where one is from the future."""

    opening: float = 0.0  # [s]

    def open(self) -> None:
        wait(self.opening)
        self.ages: list[int] = []

    def step(self, joints: list[JointState], now: Time) -> Count:
        self.ages += [(now - each.acquired) // 1_000_000 for each in joints]
        return count(min(self.ages, default=0), text=f"{len(self.ages)} {sorted(self.ages)[len(self.ages) // 2]}")


@dataclass
class Counter(Node):
    """Counts its steps; of one in `grow` it makes a message that is larger than all before."""

    size: int = 3
    grow: int = 0
    first: int = 1
    scale: float = tunable(1.0, low=0.0, high=10.0)

    rate = 200.0

    def open(self) -> None:
        self.number = self.first - 1

    def step(self) -> Count:
        self.number += 1
        size = self.size * self.number * 1000 if self.grow and self.number % self.grow == 0 else self.size
        return Count(number=self.number, squares=np.full(size, self.scale * self.number), text="é" * (self.number % 5))


class Pair(NamedTuple):
    one: Count
    two: Count | None
    image: Image


@dataclass
class Pairs(Node):
    """Several outputs of one step; every third time one of them is missing."""

    rate = 300.0

    def ports(self) -> Ports:
        return super().ports().refine("image", sizes={"h": 80, "w": 80})

    def open(self) -> None:
        self.number = 0

    def step(self) -> Pair:
        self.number += 1
        data = embodied.empty((80, 80, 3), np.uint8)
        data[...] = self.number % 251
        return Pair(
            count(self.number),
            None if self.number % 3 == 0 else count(self.number),
            Image(data=data, acquired=Time(self.number)),
        )


@dataclass
class Agree(Node):
    """Counts how often outputs of one step came together, and how often not."""

    def open(self) -> None:
        self.together = self.alone = self.mixed = 0

    def step(self, one: Stamped[Count], two: Stamped[Count] | None, image: Stamped[Image]) -> Count:
        numbers = {one.value.number, *([] if two is None else [two.value.number])}
        same = len(numbers) == 1 and set(np.unique(image.value.data)) == {one.value.number % 251}
        self.mixed += not same
        self.alone += two is None
        self.together += two is not None
        return count(self.mixed, text=f"{self.together} {self.alone}")


@dataclass
class Collect(Node):
    """Collects every number since the last step, in order; slower than its source."""

    delay: float = 0.0  # [s]

    rate = 20.0

    def open(self) -> None:
        self.numbers: list[int] = []

    def step(self, counts: list[Count]) -> Count:
        self.numbers += [entry.number for entry in counts]
        gaps = sum(b - a != 1 for a, b in zip(self.numbers, self.numbers[1:], strict=False))
        if self.delay:
            wait(self.delay)
        return count(self.numbers[-1] if self.numbers else 0, text=f"{len(self.numbers)} {gaps}")


@dataclass
class Square(Node):
    """Republishes the number of each message, and the label that it was given once."""

    def step(self, number: Count, target: Target | None) -> Count:
        if not number.squares.flags.writeable and number.squares.base is not None:
            return count(number.number, text="" if target is None else target.label)
        return count(-1)


@dataclass
class Once(Node):
    """Publishes a label once, at the start."""

    word: str = "red"

    def step(self) -> Target:
        print(f"saying {self.word}")
        return Target(label=self.word)


@dataclass
class Broken(Node):
    """Fails after some steps, in the way of its setting `how`."""

    how: str = "raise"
    after: int = 5
    mark: str = ""  # a file that says that it was open before

    rate = 100.0

    def open(self) -> None:
        self.steps = 0
        if self.how == "open" or (self.mark and Path(self.mark).exists()):
            raise RuntimeError("the device is not there")
        if self.how == "refuse":
            raise LaunchError([Problem("E204", "a setting is missing")])
        if self.mark:
            Path(self.mark).touch()

    def step(self) -> Count:
        self.steps += 1
        if self.steps == self.after:
            if self.how == "raise":
                raise ValueError("a bad day")
            if self.how == "exit":
                os._exit(7)
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "hang":
                # Deaf to signals as a driver in a system call that does not return.
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
                while True:
                    signal.pause()
            if self.how == "huge":
                # Memory that nobody has touched costs nothing; a ring reserves what it takes.
                return Count(number=1, squares=np.zeros(available() // 80))
        return count(self.steps)


@dataclass
class Stubborn(Node):
    """Takes longer to close than anybody waits."""

    rate = 50.0

    def step(self) -> Count:
        return count(os.getpid())

    def close(self) -> None:
        wait(60.0)


@dataclass
class Chatty(Node):
    """Prints a lot, with a line that never ends and bytes that are no text."""

    lines: int = 100

    rate = 50.0

    def open(self) -> None:
        self.told = False

    def step(self) -> Count:
        if not self.told:
            self.told = True
            for number in range(self.lines):
                print("line", number)
            os.write(2, b"from a library \xff\xfe\n")
            print("the end", end="")
        return count(1)


@dataclass
class Parent(Node):
    """Starts a program of its own, and does not look after it."""

    session: bool = False  # whether it has a session of its own

    rate = 20.0
    child: int = field(default=0, init=False)

    def open(self) -> None:
        self.child = os.posix_spawnp("sleep", ["sleep", "600"], os.environ, setsid=self.session)

    def step(self) -> Count:
        return count(self.child)


@dataclass
class Jump(Node):
    """Has the wall clock of its process jump by an hour, forth and back, at each step."""

    rate = 100.0

    def open(self) -> None:
        self.hours = 0
        real = time.time  # noqa: TID251 (it is what the test is about)
        vars(time)["time"] = lambda: real() + 3600.0 * (self.hours % 2)

    def step(self) -> Count:
        self.hours += 1
        return count(self.hours)


@dataclass
class Flood(Node):
    """Publishes at the highest rate that is allowed."""

    rate = 20_000.0

    def open(self) -> None:
        self.number = 0

    def step(self) -> Count:
        self.number += 1
        return count(self.number)


@dataclass
class Sleeper(Node):
    """Blocks for a long time after each message."""

    delay: float = 1.0  # [s]

    def step(self, number: Count) -> Count:
        wait(self.delay)
        return count(number.number)


@dataclass
class Ledger(Node):
    """Writes the sequence of each message it received to a file that outlives it."""

    path: str = ""

    rate = 100.0

    def open(self) -> None:
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def step(self, counts: list[Stamped[Count]]) -> None:
        for entry in counts:
            os.write(self.file, f"{entry.sequence}\n".encode())


@dataclass
class Delays(Node):
    """Measures transport delays: the median and the 99th percentile of each hundred messages [ns]."""

    def open(self) -> None:
        self.delays: list[int] = []

    def step(self, number: Stamped[Count], now: Time) -> Count | None:
        self.delays.append(now - number.stamp)
        if len(self.delays) % 100:
            return None
        median, late = np.percentile(self.delays[-100:], (50, 99))
        return count(int(late), text=str(int(median)))


@dataclass
class Gate(Guard):
    """Guard that reports the stops and resets that it received."""

    rate = 100.0

    def open(self) -> None:
        self.stopped = ""

    def step(self, number: Count | None, stop: list[Stop], reset: list[Reset]) -> GuardReport:
        if stop:
            self.stopped = stop[-1].reason
        elif reset:
            self.stopped = ""
        # It takes every other number, more or less, so that it may not see any one of them.
        if number is not None and 50 <= number.number < 100 and not self.stopped:
            os.kill(os.getpid(), signal.SIGKILL)
        refusals = (self.stopped,) if self.stopped else ()
        return GuardReport(state="stopped" if self.stopped else "following", source="", clips=(), refusals=refusals)
