"""Motors of an SO-101 as one unit: switched on without a jump, held, and read until they answer; all in ticks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Sequence

from drivers.so101 import control_table
from drivers.so101.bus import Bus
from drivers.so101.codec import Status
from drivers.so101.control_table import TICK, Block, Register
from drivers.so101.servo_state import POSITION_MODE, ServoState
from drivers.so101.servos import IDS, NAMES
from embodied.errors import DeviceLost, NotCalibrated, NotStopped

TRIES = 25
"""Number of times that a request is sent."""

PAUSE = 0.02
"""Pause between two checks of whether the arm stands [s]."""

STOOD = 3
"""Number of checks in a row that must find the arm standing."""

ACCELERATION = 254
"""Largest acceleration of the servos' own profile: the guard shapes the motion, and a lower one would lag behind it."""

STANDING_SPEED = 0.03
"""Speed below which a joint stands [rad/s]."""

GOAL_TOLERANCE = 0.06
"""Distance from its goal at which a joint has reached it [rad]: under load a servo stays a little off."""

READ_ALL = (control_table.STATE, control_table.STATE_AND_ONE)
"""Blocks that are read in turn. An answer that is a request late has another length, so it is not taken for the answer
to the next one: nothing else on this bus distinguishes them."""

SLACK = 2
"""Number of ticks by which a motor may be outside its own limits and still be switched on."""


RECENT = 3
"""Number of goals of a servo that count as sent: a damaged request leaves it with an older one until the next."""


class Motors:
    """Motors of an SO-101 as one unit: six servos on an open port.

    Args:
        port: path of the port.
        baud: speed of the bus [bit/s].

    Attributes:
        recent: goals that were sent last and before, oldest first.

    Raises:
        DeviceLost: the port cannot be opened.
    """

    def __init__(self, port: str, baud: int) -> None:
        self.recent: deque[list[int]] = deque(maxlen=RECENT)
        # Limits of each servo when it was switched on; those that the last hold switched off.
        self._limits: dict[int, tuple[int, ...]] = {}
        self._off: list[int] = []
        self._port = port
        self._reads = 0
        self._bus = Bus(port, baud)
        self._pause = threading.Event()

    @property
    def goals(self) -> list[int]:
        """Goals that were sent last; empty before the first."""
        return self.recent[-1] if self.recent else []

    @property
    def rejected(self) -> int:
        """Number of answers that were damaged, truncated, repeated, or from another servo."""
        return self._bus.rejected

    @property
    def silent(self) -> str:
        """Names of the servos without a valid answer to the last read of all."""
        return ", ".join(NAMES[servo - 1] for servo in self._bus.silent) or "the whole arm"

    def close(self) -> None:
        """Close the port; motors that are on stay on."""
        self._bus.close()

    def missing(self) -> list[str]:
        """Return the names of the servos that do not answer."""
        return [name for name, servo in zip(NAMES, IDS, strict=True) if self._bus.ping(servo) is None]

    def read(self, servo: int, what: Block | Register) -> tuple[int, ...]:
        """Read registers of a servo until it answers.

        Raises:
            DeviceLost: it gives no valid answer.
        """
        for _ in range(TRIES):
            if (reading := self._bus.read(servo, what)) is not None:
                return reading.counts
        raise DeviceLost(f"servo {servo} ({NAMES[servo - 1]}) at {self._port} gives no valid answer")

    def nameplate(self) -> str:
        """Return the serial number in the memory of a virtual servo; empty for a real one, which has no such text."""
        try:
            count = self.read(IDS[0], control_table.NAMEPLATE)[0]
        except DeviceLost:
            return ""
        text = count.to_bytes(control_table.NAMEPLATE.width, "little")
        return (
            text.removeprefix(control_table.PLATE).decode("ascii", errors="replace").strip()
            if text.startswith(control_table.PLATE)
            else ""
        )

    def read_all(self) -> list[ServoState] | None:
        """Read the states of all six; None unless all gave a valid answer."""
        self._reads += 1
        readings = self._bus.read_all(IDS, READ_ALL[self._reads % len(READ_ALL)])
        if readings is None:
            return None
        return [ServoState(each.status, *each.counts[: len(control_table.STATE.registers)]) for each in readings]

    def present(self) -> list[ServoState]:
        """Read the states of all six until they answer.

        Raises:
            DeviceLost: they give no valid answer.
        """
        for _ in range(TRIES):
            if (readings := self.read_all()) is not None:
                return readings
        raise DeviceLost(f"the SO-101 at {self._port}: no valid answer from {self.silent}")

    def send(self, goals: list[int]) -> None:
        """Send the goals of all six in one frame."""
        self._bus.write_all(control_table.GOAL, _each(goals))
        self.recent.append(goals)

    def hold(self, present: Sequence[ServoState]) -> None:
        """Hold all at the positions that were read; a servo that cannot hold its position is switched off.

        In another mode a goal is no position, and the limit of its speed may be the speed at which it turns. Beyond its
        own limits, as when it counts another turn, a servo would go for the nearest limit.
        """
        self._off = others = [
            servo
            for servo, state in zip(IDS, present, strict=True)
            if state.mode != POSITION_MODE or not self._reaches(servo, state.position)
        ]
        if others:
            self.switch_off(others)
        goals = [state.position for state in present]
        kept = {servo: (goal,) for servo, goal in zip(IDS, goals, strict=True) if servo not in others}
        if kept:
            self._bus.write_all(control_table.GOAL, kept)
        self.recent.append(goals)

    def _reaches(self, servo: int, position: int) -> bool:
        """Return whether a position is within the limits that a servo had when it was switched on."""
        lowest, highest = self._limits.get(servo, (0, 0))[:2]
        return lowest >= highest or lowest - SLACK <= position <= highest + SLACK

    def reset_overload(self, present: Sequence[ServoState]) -> list[ServoState]:
        """Switch the motors off that have let go of an overload, which ends it, and return what all report then.

        Raises:
            DeviceLost: they give no valid answer.
        """
        let_go = [servo for servo, state in zip(IDS, present, strict=True) if state.status & Status.LOAD]
        if not let_go:
            return list(present)
        for _ in range(TRIES):
            self.switch_off(let_go)
            self._pause.wait(PAUSE)
            present = self.present()
            if not any(state.status & Status.LOAD for state in present):
                break
        return list(present)

    def switch_on(self, present: Sequence[ServoState], speeds: Sequence[int], shares: Sequence[int]) -> None:
        """Switch all on, each with its present position as its goal, and read the registers back.

        Args:
            present: states of all six.
            speeds: speed limits [ticks/s].
            shares: torque limits, in thousandths of the torque at stall.

        Raises:
            DeviceLost: a servo does not answer.
            NotStopped: a servo would jump, or does not keep what was written.
        """
        goals = [state.position for state in present]
        for name, servo, goal in zip(NAMES, IDS, goals, strict=True):
            self._limits[servo] = lowest, highest = self.read(servo, control_table.RANGE)
            if not self._reaches(servo, goal):
                raise NotStopped(
                    f"{name} is at tick {goal}, outside its servo's own limits {lowest} to {highest}, and would jump "
                    "there if it were switched on: move it back by hand"
                )
        # The goal first: then a motor that is switched on is at its goal already.
        wanted = [(1, ACCELERATION, *each) for each in zip(goals, [0] * len(goals), speeds, shares, strict=True)]
        self._bus.write_all(control_table.MOTION, {servo: each[1:5] for servo, each in zip(IDS, wanted, strict=True)})
        self._bus.write_all(control_table.TORQUE_LIMIT, _each(shares))
        self._bus.write_all(control_table.TORQUE, _each([1] * len(IDS)))
        self.recent.clear()
        self.recent.append(goals)
        for name, servo, each in zip(NAMES, IDS, wanted, strict=True):
            if (kept := self.read(servo, control_table.CONTROL)) != each:
                raise NotStopped(f"the servo of {name} at {self._port} was set to {each}, and reads {kept}")

    def write_verified(self, servo: int, what: Register, count: int) -> None:
        """Write a register of a servo until it reads back the same.

        Raises:
            DeviceLost: the servo does not answer.
            NotCalibrated: the register keeps another value.
        """
        kept = 0
        for _ in range(TRIES):
            self._bus.write(servo, what, count)
            kept = self.read(servo, what)[0]
            if kept == count:
                return
        raise NotCalibrated(f"the servo of {NAMES[servo - 1]} at {self._port} was set to {count}, and reads {kept}")

    def switch_off(self, servos: Collection[int] = IDS) -> None:
        """Switch motors off, without reading back; all of them by default."""
        self._bus.write_all(control_table.TORQUE, dict.fromkeys(servos, (0,)))

    def switch_off_verified(self) -> None:
        """Switch all motors off, and read back that they are.

        Raises:
            DeviceLost: a servo does not answer.
            NotCalibrated: a motor stays on.
        """
        for servo in IDS:
            self.write_verified(servo, control_table.TORQUE, 0)

    def halt(self) -> None:
        """Hold all at their present positions, and read back that they stand there.

        Raises:
            DeviceLost: a servo does not answer.
            NotStopped: a joint moves; the message says which.
        """
        self.hold(self.present())
        stood, moves = 0, ""
        for _ in range(TRIES):
            self._pause.wait(PAUSE)
            moves = self._moves()
            stood = 0 if moves else stood + 1
            if stood == STOOD:
                return
        raise NotStopped(f"the SO-101 at {self._port} was commanded to hold, and {moves}")

    def _moves(self) -> str:
        """Return which joint moves or has another goal than the one sent last; empty if all stand."""
        for name, servo, state, goal in zip(NAMES, IDS, self.present(), self.goals, strict=True):
            if servo in self._off:
                if abs(state.speed) * TICK > STANDING_SPEED:
                    return f"{name}, which is switched off, turns at {state.speed * TICK:.2f} rad/s"
                continue
            if state.mode == POSITION_MODE and state.goal != goal:
                return f"{name} has the goal {state.goal}, not {goal}"
            away = abs(state.position - goal) * TICK
            if abs(state.speed) * TICK > STANDING_SPEED or away > GOAL_TOLERANCE:
                return f"{name} turns at {state.speed * TICK:.2f} rad/s, {away:.2f} rad from there"
        return ""


def _each(counts: Sequence[int]) -> dict[int, tuple[int]]:
    """Return counts of one register by servo."""
    return {servo: (count,) for servo, count in zip(IDS, counts, strict=True)}
