"""An SO-101 in somebody's hands, of which everything is known: how its servos are mounted, and where it stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import pytest

from drivers.so101 import control_table, eeprom, jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.codec import Frame, Instruction
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from drivers.so101.motors import Motors
from drivers.so101.servos import IDS, NAMES
from drivers.so101.virtual import VirtualSO101
from embodied.clock import SECOND, Time
from embodied.node.settings import Context, convert
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.so101.bench import ROBOT

SOON = 0.01

# Mounted anyhow: some turn against their servos, and some go over the end of the count.
TRUTH = {
    "shoulder_pan": JointCalibration(offset=2.6, sign=1),
    "shoulder_lift": JointCalibration(offset=-1.1, sign=-1),
    "elbow_flex": JointCalibration(offset=-3.0, sign=1),
    "wrist_flex": JointCalibration(offset=0.4, sign=1),
    "wrist_roll": JointCalibration(offset=1.9, sign=-1),
    "gripper": JointCalibration(offset=-0.6, sign=1),
}
OFFSETS = [0, 0, 300, 0, -1500, 77]

# This very arm was put together so that one joint stops early, and others late.
STOPS = {name: (lower - 0.02, upper + 0.03) for name, (lower, upper) in ROBOT.stops.items()} | {
    "shoulder_lift": (-1.76, 1.69),
    "gripper": (jaw.CLOSED, jaw.OPEN),
}


class Held(VirtualSO101):
    """Arm that a person holds; time passes in `turn` only."""

    def begin(self) -> None:
        self.world = KinematicWorld(ROBOT)
        self.world.reset(0)
        self.now = Time(0)
        self.open(self.world)
        self.turn(SOON)

    def forge(self) -> None:
        """Remove the text from its memory that marks it as virtual."""
        for servo in self._servos.values():
            servo.put(control_table.NAMEPLATE, 0)

    def turn(self, seconds: float) -> None:
        for _ in range(round(seconds / SOON)):
            self.now = Time(self.now + round(SOON * SECOND))
            self.world.advance(self.now)
            self.step()

    def angle(self, name: str) -> float:
        """Angle of a joint, or of the jaw, by its shaft [rad]."""
        shaft = (self._servos[IDS[NAMES.index(name)]].raw - MIDDLE) * TICK
        return TRUTH[name].sign * (shaft - TRUTH[name].offset)

    def near(self, name: str, angle: float) -> bool:
        return abs(self.angle(name) - angle) < TICK / 4


class Watched(Held):
    """The same with a person who follows a program's instructions; time passes whenever the bus is read."""

    answer: Callable[[], None]
    wanted: tuple[str, float] | None = None

    def _answer(self, frame: Frame, speed: int) -> list[Frame]:
        wanted = self.wanted
        if frame.code == Instruction.SYNC_READ and wanted is not None:
            self.push(*wanted)
            self.turn(0.1)
            if self.near(*wanted):
                self.wanted = None
                self.answer()
        elif frame.code == Instruction.SYNC_READ:
            self.turn(SOON)
        return super()._answer(frame, speed)


AnyHeld = TypeVar("AnyHeld", bound=Held)


@contextmanager
def asking(far: Held) -> Iterator[Motors]:
    motors = Motors(far.address, control_table.BAUDS[0])
    try:
        yield motors
    finally:
        motors.close()


@contextmanager
def mounted(held: AnyHeld) -> Iterator[AnyHeld]:
    """Open arm with factory settings but for some offsets, and its motors on; it is closed afterwards."""
    held.begin()
    try:
        with asking(held) as motors:
            for servo, offset in zip(IDS, OFFSETS, strict=True):
                for register, count in (
                    (control_table.LOCK, 0),
                    (control_table.MIN_POSITION, 0),
                    (control_table.MAX_POSITION, TICKS - 1),
                ):
                    motors.write_verified(servo, register, count)
                motors.write_verified(servo, control_table.OFFSET, offset)
                motors.write_verified(servo, control_table.LOCK, 1)
            held.turn(SOON)
            motors.switch_on(motors.present(), [3000] * 6, [1000] * 6)
        held.turn(0.2)
        yield held
    finally:
        held.close()


def kept(far: Held) -> list[list[int]]:
    with asking(far) as motors:
        return [list(each) for each in eeprom.read(motors)]


def switched_on(far: Held) -> list[int]:
    with asking(far) as motors:
        return [servo for servo in IDS if motors.read(servo, control_table.TORQUE)[0]]


def true(far: Held, found: dict[str, Any]) -> None:
    """Check that the calibration agrees with the servos at every position of every joint, within two ticks."""
    assert list(found) == list(NAMES)
    held = convert(dict[str, JointCalibration], found, Context())
    for name, (offset, lowest, highest) in zip(NAMES, kept(far), strict=True):
        joint, truth = held[name], TRUTH[name]
        assert joint.sign == truth.sign
        assert (joint.lower, joint.upper) == pytest.approx(STOPS[name], abs=2 * TICK)
        for angle in np.linspace(*STOPS[name], 21):
            says = (MIDDLE + (truth.offset + truth.sign * angle) / TICK - offset) % TICKS
            assert says == pytest.approx(MIDDLE + (joint.offset + joint.sign * angle) / TICK, abs=2)
            assert lowest - 2 <= says <= highest + 2
        assert lowest + highest == pytest.approx(2 * MIDDLE, abs=4)
