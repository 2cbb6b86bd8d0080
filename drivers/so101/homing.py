"""Homing of a joint: its zero, direction and stops, computed from its servo's readings while a person moves it by hand.

The person puts the arm into a stated pose, and from there moves each joint to one stop and to the other. A servo counts
within one turn, so its count may jump from 4095 to 0 on the way; between two readings the shorter way round is taken. A
servo cannot follow goals across that jump, so its own offset is set such that the middle of the joint's range is the
middle of the count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import MIDDLE, TICK, TICKS

MAX_OFFSET = 2047
"""Largest magnitude of a servo's own offset [ticks]."""

JUMP = 512
"""Largest plausible step between two readings of a joint that is moved by hand, an eighth of a turn [ticks]."""

MIN_SHARE = 0.8
"""Share of the described range through which a joint must be moved."""

SLACK = math.radians(10)
"""Distance of stops beyond the described ones that is accepted [rad]: arms are printed and assembled by hand."""

MIN_DIRECTION_STEP = 114
"""Smallest motion from which the direction of a joint is taken, 10° [ticks]."""


class NotMeasured(ValueError):
    """Homing of a joint that failed, and has to be repeated.

    Attributes:
        help: what to do next, one sentence each.
    """

    def __init__(self, message: str, *help_: str) -> None:
        super().__init__(message)
        self.help = help_


@dataclass(frozen=True, slots=True)
class ExpectedJoint:
    """Joint as the robot's description has it, before its homing.

    Attributes:
        pose: angle of the joint in the stated pose [rad].
        lower, upper: angles of its stops [rad].
        sign: 1, or -1 where it turns against its servo.
    """

    pose: float
    lower: float
    upper: float
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """Result of the homing of a joint.

    Attributes:
        calibration: calibration that holds once the offset is written.
        offset: offset to write into the servo [ticks].
    """

    calibration: JointCalibration
    offset: int


def measure(name: str, home: int, ticks: Sequence[int], expected: ExpectedJoint, offset: int = 0) -> Measured:
    """Compute zero, direction and stops of one joint from its servo's readings.

    Args:
        name: name of the joint.
        home: reading of its servo in the stated pose, 0 to 4095.
        ticks: readings while it is moved to both stops.
        expected: joint as its description has it.
        offset: offset that the servo has during the readings [ticks].

    Raises:
        NotMeasured: the joint was moved too fast, too little, or in an impossible way.
    """
    path = unwrap(name, [home, *ticks])
    least, most = min(path), max(path)
    if most - least >= TICKS:
        message = f"{name} was moved through {(most - least) / TICKS:.1f} turns, and its servo counts one"
        raise NotMeasured(message, "move it to one stop and to the other, and not round")
    ends = sorted(expected.pose + expected.sign * (end - home) * TICK for end in (least, most))
    _plausible(name, ends[0], ends[1], expected)
    # The servo subtracts its offset. A half turn is one more than fits: the middle is then off by one tick.
    shift = round((least + most) / 2) - MIDDLE
    new = (offset + shift + MIDDLE) % TICKS - MIDDLE
    new = max(new, -MAX_OFFSET)
    # Shifted by whole turns, so that the middle of the range falls into the count.
    read = home - (new - offset)
    read -= TICKS * round(((least + most) / 2 - (new - offset) - MIDDLE) / TICKS)
    zero = (read - MIDDLE) * TICK - expected.sign * expected.pose
    return Measured(JointCalibration(offset=zero, sign=expected.sign, lower=ends[0], upper=ends[1], homing=new), new)


def direction(name: str, ticks: Sequence[int]) -> int:
    """Compute the direction of a joint from its servo's readings on the way to its upper limit.

    Args:
        name: name of the joint.
        ticks: readings, 0 to 4095.

    Returns:
        1, or -1 where it turns against its servo.

    Raises:
        NotMeasured: the joint was moved too little, or too fast.
    """
    path = unwrap(name, ticks)
    moved = path[-1] - path[0] if path else 0
    if abs(moved) < MIN_DIRECTION_STEP:
        message = f"{name} was moved by {abs(moved) * 360 / TICKS:.0f}°, which does not say which way it turns"
        raise NotMeasured(message, "move it by a quarter turn, and leave it there")
    return 1 if moved > 0 else -1


def unwrap(name: str, ticks: Sequence[int]) -> list[int]:
    """Unwrap the readings of a joint's servo across the end of its turn.

    Raises:
        NotMeasured: a reading is out of range, or two are too far apart to know the direction.
    """
    path = list(ticks[:1])
    for tick in ticks:
        if not 0 <= tick < TICKS:
            raise NotMeasured(f"reading of {name} must be in [0, {TICKS - 1}], got {tick}", "is it an STS3215?")
    for before, after in pairwise(ticks):
        step = (after - before + MIDDLE) % TICKS - MIDDLE
        if abs(step) > JUMP:
            message = f"{name} moved by {abs(step) * 360 / TICKS:.0f}° between two readings"
            raise NotMeasured(message, "start in the stated pose, and move it slowly, about a turn in ten seconds")
        path.append(path[-1] + step)
    return path


def setting(measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Return the results of homing as the driver's setting `calibration` for a site file."""
    return {
        name: {key: round(value, 5) for key, value in asdict(joint.calibration).items()}
        for name, joint in measured.items()
    }


def _plausible(name: str, lower: float, upper: float, expected: ExpectedJoint) -> None:
    found = f"{name} goes from {lower:.2f} to {upper:.2f} rad"
    described = f"its description has {expected.lower:.2f} to {expected.upper:.2f}"
    if upper - lower < MIN_SHARE * (expected.upper - expected.lower):
        raise NotMeasured(f"{found}, and {described}", "move it to both of its stops; what is in its way?")
    if _within(lower, upper, expected):
        return
    against = "" if expected.sign > 0 else "not "
    if _within(2 * expected.pose - upper, 2 * expected.pose - lower, expected):
        help_ = f"does it {against}turn against its servo? Move it towards its upper limit once more"
    else:
        off = math.degrees((lower + upper) / 2 - (expected.lower + expected.upper) / 2)
        help_ = f"put the arm into the stated pose again, exactly: it was about {abs(off):.0f}° off"
    raise NotMeasured(f"{found}, and {described}", help_)


def _within(lower: float, upper: float, expected: ExpectedJoint) -> bool:
    return expected.lower - SLACK <= lower and upper <= expected.upper + SLACK
