"""Where a joint's zero is on its servo."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JointCalibration:
    """One joint of one arm: `joint = sign · (servo - offset)`, with the servo's angle counted from its middle tick.

    Attributes:
        offset: angle of the servo where the joint is at zero [rad].
        sign: 1, or -1 where the joint turns against its servo.
        lower, upper: how far the joint goes between its stops [rad].
    """

    offset: float = 0.0
    sign: int = 1
    lower: float = -3.15
    upper: float = 3.15

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError(f"sign = {self.sign} is neither 1 nor -1")
        if not self.lower < self.upper:
            raise ValueError(f"from {self.lower} to {self.upper} rad there is no room to move")
