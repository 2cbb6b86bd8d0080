"""Calibration values of a joint of the SO-101: its zero on the servo, its direction, and its stops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JointCalibration:
    """Calibration values of a joint: `joint = sign · (servo - offset)`; the servo's angle counts from its middle tick.

    Attributes:
        offset: angle of the servo at the joint's zero [rad].
        sign: 1, or -1 where the joint turns against its servo.
        lower, upper: angles of the joint at its stops [rad].
        homing: offset of the servo with which all of this holds [ticks]; None where it is not known.
    """

    offset: float = 0.0
    sign: int = 1
    lower: float = -3.15
    upper: float = 3.15
    homing: int | None = None

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError(f"sign must be 1 or -1, got {self.sign}")
        if not self.lower < self.upper:
            raise ValueError(f"upper must be above lower ({self.lower} rad), got {self.upper}")
