"""Where a joint's zero is on its servo, from what the servo says while a person moves the joint by hand.

The person puts the arm into a pose that is stated, and from there takes each joint to one stop and to the other. A
servo says where it is within one turn, so that its count may jump from 4095 to 0 on the way; from reading to reading it
is followed the shorter way round. A servo that follows goals does not go over that end: so its own offset is to be set
such that the middle of the joint's range is the middle of the count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import MIDDLE, TICK, TICKS

FARTHEST = 2047
"""What a servo's own offset holds at most, either way [ticks]."""

JUMP = 512
"""Between two readings a joint that is moved by hand goes less far, an eighth of a turn [ticks]."""

REACHED = 0.8
"""Of the range that is described, a joint must have been moved through this share."""

SLACK = math.radians(10)
"""Stops may lie so far beyond those that are described [rad]: arms are printed and put together by hand."""

DIRECTION = 114
"""What is moved less far, 10°, has not said which way it goes [ticks]."""


class NotMeasured(ValueError):
    """A joint has to be done again.

    Attributes:
        help: what to do, a sentence each.
    """

    def __init__(self, message: str, *help_: str) -> None:
        super().__init__(message)
        self.help = help_


@dataclass(frozen=True, slots=True)
class Stated:
    """What is known of a joint before it is measured.

    Attributes:
        pose: where it stands in the stated pose [rad].
        lower, upper: its stops, as the robot's description has them [rad].
        sign: 1, or -1 where it turns against its servo.
    """

    pose: float
    lower: float
    upper: float
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """A joint that has been measured.

    Attributes:
        calibration: which holds once the offset has been written.
        offset: to be written into the servo, as its own [ticks].
    """

    calibration: JointCalibration
    offset: int


def measure(name: str, home: int, ticks: Sequence[int], stated: Stated, offset: int = 0) -> Measured:
    """One joint.

    Args:
        name: of the joint.
        home: what its servo says in the stated pose, 0 to 4095.
        ticks: what it then says, one reading after another, while it is moved to both stops.
        stated: what is known of it.
        offset: what stands in the servo as its own offset while it is read.

    Raises:
        NotMeasured: it was moved too fast, too little, or otherwise than it can be.
    """
    path = followed(name, [home, *ticks])
    least, most = min(path), max(path)
    if most - least >= TICKS:
        message = f"{name} was moved through {(most - least) / TICKS:.1f} turns, and its servo counts one"
        raise NotMeasured(message, "move it to one stop and to the other, and not round")
    ends = sorted(stated.pose + stated.sign * (end - home) * TICK for end in (least, most))
    _plausible(name, ends[0], ends[1], stated)
    # The servo's count is less by its offset; one that does not fit is that of a tick beside the middle.
    shift = round((least + most) / 2) - MIDDLE
    made = (offset + shift + MIDDLE) % TICKS - MIDDLE
    made = max(made, -FARTHEST)
    # By whole turns so that the middle of the range comes to the middle of the count.
    read = home - (made - offset)
    read -= TICKS * round(((least + most) / 2 - (made - offset) - MIDDLE) / TICKS)
    zero = (read - MIDDLE) * TICK - stated.sign * stated.pose
    return Measured(JointCalibration(offset=zero, sign=stated.sign, lower=ends[0], upper=ends[1]), made)


def direction(name: str, ticks: Sequence[int]) -> int:
    """Which way a joint turns, from what its servo says while it is moved towards its upper limit.

    Args:
        name: of the joint.
        ticks: one reading after another, 0 to 4095.

    Returns:
        1, or -1 where it turns against its servo.

    Raises:
        NotMeasured: it was moved too little, or too fast.
    """
    path = followed(name, ticks)
    moved = path[-1] - path[0] if path else 0
    if abs(moved) < DIRECTION:
        message = f"{name} was moved by {abs(moved) * 360 / TICKS:.0f}°, which does not say which way it turns"
        raise NotMeasured(message, "move it by a quarter turn, and leave it there")
    return 1 if moved > 0 else -1


def followed(name: str, ticks: Sequence[int]) -> list[int]:
    """Readings of a servo, counted on over the end of its turn.

    Raises:
        NotMeasured: there are none such, or two of them lie too far apart to say which way it went.
    """
    path = list(ticks[:1])
    for tick in ticks:
        if not 0 <= tick < TICKS:
            raise NotMeasured(f"{name} says {tick}, and a servo counts from 0 to {TICKS - 1}", "is it an STS3215?")
    for before, after in pairwise(ticks):
        step = (after - before + MIDDLE) % TICKS - MIDDLE
        if abs(step) > JUMP:
            message = f"{name} went by {abs(step) * 360 / TICKS:.0f}° between two readings"
            raise NotMeasured(message, "begin in the stated pose, and move it slowly, about a turn in ten seconds")
        path.append(path[-1] + step)
    return path


def setting(measured: Mapping[str, Measured]) -> dict[str, Any]:
    """The driver's setting `calibration`, as a site file has it."""
    return {
        name: {key: round(value, 5) for key, value in asdict(joint.calibration).items()}
        for name, joint in measured.items()
    }


def _plausible(name: str, lower: float, upper: float, stated: Stated) -> None:
    found = f"{name} goes from {lower:.2f} to {upper:.2f} rad"
    described = f"its description has {stated.lower:.2f} to {stated.upper:.2f}"
    if upper - lower < REACHED * (stated.upper - stated.lower):
        raise NotMeasured(f"{found}, and {described}", "move it to both of its stops; what is in its way?")
    if _within(lower, upper, stated):
        return
    against = "" if stated.sign > 0 else "not "
    if _within(2 * stated.pose - upper, 2 * stated.pose - lower, stated):
        help_ = f"does it {against}turn against its servo? Move it towards its upper limit once more"
    else:
        off = math.degrees((lower + upper) / 2 - (stated.lower + stated.upper) / 2)
        help_ = f"put the arm into the stated pose again, exactly: it was about {abs(off):.0f}° off"
    raise NotMeasured(f"{found}, and {described}", help_)


def _within(lower: float, upper: float, stated: Stated) -> bool:
    return stated.lower - SLACK <= lower and upper <= stated.upper + SLACK
