"""An arm's six motors as one: found, switched on where they are, held, and asked until they answer. All in ticks."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from drivers.so101 import control_table
from drivers.so101.bus import Bus, Reading
from drivers.so101.control_table import TICK, Block, Register
from drivers.so101.servos import IDS, NAMES
from embodied.errors import DeviceLost, NotCalibrated, NotStopped

TRIES, PAUSE = 25, 0.02
"""So often a question is put again; and so long between two looks at whether they stand [s]."""

ACCELERATION = 254
"""Of the servos' own profile, its largest: the guard shapes the motion, and a slower one would lag behind it."""

STANDS, REACHED = 0.03, 0.06
"""A joint stands if it is slower than this [rad/s], and is at its goal if it is no further from it [rad]: under a load
a servo stays a little off."""

LOOKS = (control_table.PRESENT, control_table.PRESENT_AND_ONE)
"""What is asked in turn. An answer that comes a question late has another length, and is not taken for the next one's:
nothing else on this bus tells them apart."""

SLACK = 2
"""Ticks by which a motor may be outside its own limits and still be switched on."""


class Motors:
    """Six servos at an open port.

    Args:
        port: its path.
        baud: its speed [bit/s].

    Attributes:
        goals: that they were last sent.

    Raises:
        DeviceLost: the port cannot be opened.
    """

    def __init__(self, port: str, baud: int) -> None:
        self.goals: list[int] = []
        self._port = port
        self._looks = 0
        self._bus = Bus(port, baud)
        self._pause = threading.Event()

    @property
    def rejected(self) -> int:
        """Answers that were bent, cut short, repeated, or not from who was asked."""
        return self._bus.rejected

    @property
    def silent(self) -> str:
        """Who gave no whole answer when all were last asked."""
        return ", ".join(NAMES[servo - 1] for servo in self._bus.silent) or "the whole arm"

    def close(self) -> None:
        """Let go of the port; motors that are on stay on."""
        self._bus.close()

    def missing(self) -> list[str]:
        """Who does not answer to its id."""
        return [name for name, servo in zip(NAMES, IDS, strict=True) if self._bus.ping(servo) is None]

    def ask(self, servo: int, what: Block | Register) -> tuple[int, ...]:
        """What a servo has in its memory.

        Raises:
            DeviceLost: it never gives a whole answer.
        """
        for _ in range(TRIES):
            if (reading := self._bus.read(servo, what)) is not None:
                return reading.counts
        raise DeviceLost(f"servo {servo} ({NAMES[servo - 1]}) at {self._port} gives no whole answer")

    def nameplate(self) -> str:
        """Serial number that a virtual bus has in its memory; empty for a real one, which has no such text."""
        try:
            count = self.ask(IDS[0], control_table.NAMEPLATE)[0]
        except DeviceLost:
            return ""
        text = count.to_bytes(control_table.NAMEPLATE.width, "little")
        return (
            text.removeprefix(control_table.PLATE).decode("ascii").strip()
            if text.startswith(control_table.PLATE)
            else ""
        )

    def look(self) -> list[Reading] | None:
        """What all measure now; None unless all six gave a whole answer."""
        self._looks += 1
        return self._bus.read_all(IDS, LOOKS[self._looks % len(LOOKS)])

    def present(self) -> list[Reading]:
        """The same, put again until they all answer.

        Raises:
            DeviceLost: they never do.
        """
        for _ in range(TRIES):
            if (readings := self.look()) is not None:
                return readings
        raise DeviceLost(f"the SO-101 at {self._port}: nothing whole from {self.silent}")

    def send(self, goals: list[int]) -> None:
        """Goals of all six, in one frame."""
        self._bus.write_all(control_table.GOAL, _each(goals))
        self.goals = goals

    def switch_on(self, present: Sequence[Reading], speeds: Sequence[int], shares: Sequence[int]) -> None:
        """Switch all on, each with the place where it is as its goal, and read back that they keep it.

        Args:
            present: where they are.
            speeds: that they may have [ticks/s].
            shares: of their torque at stall that they may use, in thousandths.

        Raises:
            DeviceLost: one does not answer.
            NotStopped: one would jump, or does not keep what it is told.
        """
        goals = [reading.counts[0] for reading in present]
        for name, servo, goal in zip(NAMES, IDS, goals, strict=True):
            lowest, highest = self.ask(servo, control_table.RANGE)
            if lowest < highest and not lowest - SLACK <= goal <= highest + SLACK:
                raise NotStopped(
                    f"{name} is at tick {goal}, outside its servo's own limits {lowest} to {highest}, and would jump "
                    "there if it were switched on: move it back by hand"
                )
        # In this order: with the goal first, a motor that is switched on has nowhere to go.
        wanted = [(1, ACCELERATION, *each) for each in zip(goals, [0] * len(goals), speeds, shares, strict=True)]
        self._bus.write_all(control_table.MOTION, {servo: each[1:5] for servo, each in zip(IDS, wanted, strict=True)})
        self._bus.write_all(control_table.TORQUE_LIMIT, _each(shares))
        self._bus.write_all(control_table.TORQUE, _each([1] * len(IDS)))
        self.goals = goals
        for name, servo, each in zip(NAMES, IDS, wanted, strict=True):
            if (kept := self.ask(servo, control_table.CONTROL)) != each:
                raise NotStopped(f"the servo of {name} at {self._port} was told {each}, and keeps {kept}")

    def keep(self, servo: int, what: Register, count: int) -> None:
        """Write a register of a servo, until it says that this stands there.

        Raises:
            DeviceLost: it does not answer.
            NotCalibrated: it keeps something else.
        """
        kept = 0
        for _ in range(TRIES):
            self._bus.write(servo, what, count)
            kept = self.ask(servo, what)[0]
            if kept == count:
                return
        raise NotCalibrated(f"the servo of {NAMES[servo - 1]} at {self._port} was told {count}, and keeps {kept}")

    def switch_off(self) -> None:
        """Let go."""
        self._bus.write_all(control_table.TORQUE, _each([0] * len(IDS)))

    def let_go(self) -> None:
        """Switch all off, and read back that they are.

        Raises:
            DeviceLost: one does not answer.
            NotCalibrated: one stays on.
        """
        for servo in IDS:
            self.keep(servo, control_table.TORQUE, 0)

    def halt(self) -> None:
        """Hold all where they are, and read back that they stand there.

        Raises:
            DeviceLost: one does not answer.
            NotStopped: one does not stand; the sentence says which.
        """
        self.send([reading.counts[0] for reading in self.present()])
        stood, moves = 0, ""
        for _ in range(TRIES):
            self._pause.wait(PAUSE)
            moves = self._moves()
            stood = 0 if moves else stood + 1
            if stood == 3:
                return
        raise NotStopped(f"the SO-101 at {self._port} was told to hold, and {moves}")

    def _moves(self) -> str:
        """Who moves, or does not keep the goal that it was last sent; empty if all stand."""
        for name, servo, reading, goal in zip(NAMES, IDS, self.present(), self.goals, strict=True):
            position, speed, *_ = reading.counts
            if (kept := self.ask(servo, control_table.GOAL)[0]) != goal:
                return f"{name} has the goal {kept}, not {goal}"
            if abs(speed) * TICK > STANDS or abs(position - goal) * TICK > REACHED:
                return f"{name} turns at {speed * TICK:.2f} rad/s, {abs(position - goal) * TICK:.2f} rad from there"
        return ""


def _each(counts: Sequence[int]) -> dict[int, tuple[int]]:
    """One register of all servos."""
    return {servo: (count,) for servo, count in zip(IDS, counts, strict=True)}
