"""What the servos keep without power and a calibration changes: their own offsets, and how far they go.

Their limits are counted with the offset, so that one is never written without the other.
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

REGISTERS = (control_table.OFFSET, control_table.LOWEST, control_table.HIGHEST)
"""Which they are, in the order in which they are written."""

Memory = Sequence[Sequence[int]]
"""What stands there [ticks], of each servo."""


def read(motors: Motors) -> Memory:
    """What stands there now.

    Raises:
        DeviceLost: a servo does not answer.
    """
    return [[motors.ask(servo, register)[0] for register in REGISTERS] for servo in IDS]


def wanted(measured: Sequence[Measured]) -> Memory:
    """What is to stand there: offsets as they were measured, and the stops as limits, rounded outwards."""
    return [(joint.offset, *_limits(joint)) for joint in measured]


@contextmanager
def changed(motors: Motors, before: Memory, after: Memory, tell: Callable[[str], None]) -> Iterator[None]:
    """Write it, and leave it so if nothing is raised inside; else it is as before.

    Args:
        motors: which are off.
        before: what stands there.
        after: what is to.
        tell: is told what stands there, if it is not that.

    Raises:
        DeviceLost: a servo does not answer.
        NotCalibrated: one does not keep it.
    """
    try:
        _write(motors, after)
        yield
    except BaseException:
        try:
            _write(motors, before)
        except EmbodiedError as error:
            tell(
                f"some servos may keep new offsets, which are of no calibration: do it again before it moves ({error})"
            )
        else:
            tell("its servos keep what they kept before")
        raise


def _write(motors: Motors, memory: Memory) -> None:
    for servo, counts in zip(IDS, memory, strict=True):
        motors.keep(servo, control_table.LOCK, 0)
        for register, count in zip(REGISTERS, counts, strict=True):
            motors.keep(servo, register, count)
        motors.keep(servo, control_table.LOCK, 1)


def _limits(joint: Measured) -> tuple[int, int]:
    held = joint.calibration
    low, high = sorted(MIDDLE + (held.offset + held.sign * end) / TICK for end in (held.lower, held.upper))
    return max(math.floor(low), 0), min(math.ceil(high), TICKS - 1)
