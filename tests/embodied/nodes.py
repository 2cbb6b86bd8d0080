"""Small real nodes that the tests of the hall wire up."""

from __future__ import annotations

import os
import select
import signal
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from embodied import Driver, Guard, Node, Stamped, Time, tunable
from embodied.messages import (
    Depth,
    GuardReport,
    Image,
    JointCommand,
    JointState,
    Pose,
    Reset,
    Segmentation,
    Stop,
    Target,
    Vector,
)
from embodied.node.identity import Identity


def joints(value: float = 0.0, n: int = 2, at: int = 0) -> JointState:
    return JointState(position=np.full(n, float(value)), velocity=np.zeros(n), acquired=Time(at))


@dataclass
class Clock(Node):
    """Publishes the time as a joint state."""

    rate = 100.0

    def step(self, now: Time) -> JointState:
        return joints(now / 1e9, at=now)


@dataclass
class Noise(Node):
    """Publishes random joints."""

    rate = 50.0

    def step(self) -> JointState:
        return joints(self.rng.normal())


@dataclass
class Hold(Node):
    """A PD law, as in the README."""

    goal: Vector
    kp: float = tunable(40.0, low=0, high=200)
    kd: float = 6.0

    rate = 100.0

    def step(self, joints: JointState) -> JointCommand:
        return JointCommand(effort=self.kp * (self.goal - joints.position) - self.kd * joints.velocity)


@dataclass
class Double(Node):
    """Twice what comes, on each new value."""

    def step(self, joints: JointState) -> JointState:
        return JointState(position=2 * joints.position, velocity=joints.velocity, acquired=joints.acquired)


@dataclass
class Meet(Node):
    """Remembers what it saw: latest, optional with its envelope, and every one."""

    rate = 10.0

    def open(self) -> None:
        self.seen: list[tuple[int, float, Stamped[JointState] | None, int]] = []

    def step(self, now: Time, a: JointState, b: Stamped[JointState] | None, c: list[JointState]) -> None:
        self.seen.append((now, float(a.position[0]), b, len(c)))


class Two(NamedTuple):
    left: JointState
    right: JointState | None


@dataclass
class Split(Node):
    """Two outputs; the right one only on every other step."""

    rate = 100.0

    def open(self) -> None:
        self._n = 0

    def step(self) -> Two:
        self._n += 1
        return Two(joints(self._n), joints(self._n) if self._n % 2 else None)


@dataclass
class Pair(Node):
    """Takes two outputs of one source."""

    def open(self) -> None:
        self.seen: list[tuple[float, float | None]] = []

    def step(self, left: JointState, right: JointState | None) -> None:
        self.seen.append((left.position[0], None if right is None else right.position[0]))


@dataclass
class Once(Node):
    """Says one thing, once."""

    label: str = "red"

    def step(self) -> Target:
        return Target(label=self.label)


@dataclass
class Listen(Node):
    """Counts what it gets on its trigger."""

    times: list[int] = field(default_factory=list, init=False)

    def step(self, joints: JointState, now: Time) -> None:
        self.times.append(now)


@dataclass
class PassGuard(Guard):
    """A guard that lets everything through, to wire up drivers."""

    rate = 100.0

    def step(self, command: JointCommand | None) -> JointCommand:
        return command or JointCommand(position=np.zeros(2))


class Latched(NamedTuple):
    command: JointCommand
    report: GuardReport


@dataclass
class LatchGuard(Guard):
    """Lets everything through until it is stopped, and again after a reset."""

    rate = 100.0

    def open(self) -> None:
        self._why = ""

    def step(self, command: JointCommand | None, stop: list[Stop], reset: list[Reset]) -> Latched:
        self._why = stop[-1].reason if stop else "" if reset else self._why
        given = None if self._why else command
        state = "stopped" if self._why else "holding" if given is None else "following"
        refusals = (f"stopped: {self._why}",) if self._why else ()
        report = GuardReport(state=state, source="command" if given else "", clips=(), refusals=refusals)
        return Latched(given or JointCommand(position=np.zeros(2)), report)


class Pictures(NamedTuple):
    rgb: Image
    depth: Depth
    bodies: Segmentation


@dataclass
class Picture(Node):
    """A camera whose pictures are known to the pixel: 4 by 6, red, 0.1 to 2.4 m away, bodies -1 to 22."""

    rate = 10.0

    def step(self, now: Time) -> Pictures:
        steps = np.arange(24).reshape(4, 6)
        red = np.zeros((4, 6, 3), np.uint8)
        red[..., 0] = 200
        depth = (steps.astype(np.float32) + 1) / 10
        bodies = steps.astype(np.int32) - 1
        return Pictures(
            Image(data=red, acquired=now),
            Depth(data=depth.astype(np.float32), acquired=now),
            Segmentation(data=bodies, acquired=now),
        )


@dataclass
class Talks(Node):
    """Prints a line at each step, and one at the end."""

    rate = 20.0

    def open(self) -> None:
        self._n = 0

    def step(self) -> None:
        self._n += 1
        print(f"line {self._n}")

    def close(self) -> None:
        print("the last word")


class Arm(NamedTuple):
    state: JointState
    applied: JointCommand | None


@dataclass
class Motor(Driver):
    """A driver whose body is a number."""

    rate = 100.0

    def open(self) -> None:
        self.position = np.zeros(2)

    def identify(self) -> Identity:
        return Identity(model="a number", virtual=True)

    def step(self, command: JointCommand | None, now: Time) -> Arm:
        if command is not None and command.position is not None:
            self.position = command.position.copy()
        return Arm(joints(float(self.position[0]), at=now), command)


@dataclass
class Ramp(Node):
    """A command that grows."""

    rate = 100.0

    def step(self, joints: JointState) -> JointCommand:
        return JointCommand(position=joints.position + 0.01)


@dataclass
class Pointer(Node):
    """Gives another type, for mismatches."""

    rate = 10.0

    def step(self) -> Pose:
        return Pose(position=np.zeros(3), orientation=np.array([0.0, 0, 0, 1]), frame="base")


@dataclass
class Breaks(Node):
    """Raises at its fifth step."""

    rate = 10.0

    def open(self) -> None:
        self._n = 0

    def step(self, joints: JointState) -> None:
        self._n += 1
        if self._n == 5:
            raise RuntimeError("the belt came off")


@dataclass
class Liar(Node):
    """Declares one thing and gives another."""

    rate = 10.0

    def step(self) -> JointState:
        return "not joints"  # type: ignore[return-value]


@dataclass
class Unseeded(Node):
    """Takes its randomness from where it may not."""

    rate = 10.0

    def step(self) -> JointState:
        return joints(int.from_bytes(os.urandom(4), "little"))


@dataclass
class Suicide(Node):
    """Kills its own process."""

    rate = 10.0

    def step(self) -> JointState:
        os.kill(os.getpid(), signal.SIGKILL)
        return joints()


@dataclass
class NewlineFlood(Node):
    """Prints empty lines as fast as they are taken, from a thread of its own."""

    rate = 50.0

    def open(self) -> None:
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._print)
        self.thread.start()

    def _print(self) -> None:
        poll = select.poll()
        poll.register(1, select.POLLOUT)
        while not self.ended.is_set():
            if poll.poll(100):
                os.write(1, b"\n" * 4096)

    def step(self) -> Target:
        return Target(label="empty")

    def close(self) -> None:
        self.ended.set()
        self.thread.join()
