"""State of one servo of an SO-101, as one read of its memory gives it."""

from __future__ import annotations

from typing import NamedTuple

from drivers.so101.codec import Status

POSITION_MODE = 0
"""Value of the register `MODE` with which a servo goes to the position in `GOAL`."""


class ServoState(NamedTuple):
    """State of a servo as it reports it: its faults, what decides where it goes, and its measurements, in counts."""

    status: Status
    offset: int
    mode: int
    torque: int
    goal: int
    position: int
    speed: int
    load: int
    voltage: int
    temperature: int
