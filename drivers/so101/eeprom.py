"""EEPROM registers of the servos that a calibration changes: offsets and position limits.

The limits are counted with the offset, so one is never written without the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from drivers.so101 import control_table
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from drivers.so101.homing import Measured
from drivers.so101.servos import IDS
from embodied.errors import EmbodiedError

if TYPE_CHECKING:
    from drivers.so101.motors import Motors

REGISTERS = (control_table.OFFSET, control_table.MIN_POSITION, control_table.MAX_POSITION)
"""Registers that are changed, in the order in which they are written."""

Memory = Sequence[Sequence[int]]
"""Counts of these registers for each servo [ticks]."""


def read(motors: Motors) -> Memory:
    """Read the EEPROM registers of calibration from all servos.

    Raises:
        DeviceLost: a servo does not answer.
    """
    return [[motors.read(servo, register)[0] for register in REGISTERS] for servo in IDS]


def calibrated(measured: Sequence[Measured]) -> Memory:
    """Return the EEPROM registers for measured joints: offsets, and stops as limits, rounded outwards."""
    return [(joint.offset, *_limits(joint)) for joint in measured]


@contextmanager
def changed(motors: Motors, before: Memory, after: Memory, tell: Callable[[str], None]) -> Iterator[None]:
    """Write the EEPROM registers of the servos, and restore them if anything is raised inside.

    Args:
        motors: motors of the arm, switched off.
        before: registers as they are.
        after: registers as they shall be.
        tell: function that shows a text to the person, if the registers were restored or could not be.

    Raises:
        DeviceLost: a servo does not answer.
        NotCalibrated: a register does not keep what was written.
    """
    try:
        _write(motors, after)
        yield
    except BaseException:
        try:
            _write(motors, before)
        except EmbodiedError as error:
            tell(f"some servos may have new offsets without a calibration: calibrate before the arm moves ({error})")
        else:
            tell("its servos keep their old offsets and limits")
        raise


def _write(motors: Motors, memory: Memory) -> None:
    for servo, counts in zip(IDS, memory, strict=True):
        motors.write_verified(servo, control_table.LOCK, 0)
        for register, count in zip(REGISTERS, counts, strict=True):
            motors.write_verified(servo, register, count)
        motors.write_verified(servo, control_table.LOCK, 1)


def _limits(joint: Measured) -> tuple[int, int]:
    held = joint.calibration
    low, high = sorted(MIDDLE + (held.offset + held.sign * end) / TICK for end in (held.lower, held.upper))
    return max(math.floor(low), 0), min(math.ceil(high), TICKS - 1)
