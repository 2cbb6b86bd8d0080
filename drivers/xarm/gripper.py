"""Gripper of an xArm through the vendor's SDK: commands and readings at a rate that its bus can take."""

from __future__ import annotations

import math
from typing import Any

from drivers.xarm.codec import PULSE, PULSES
from drivers.xarm.connection import NO_REPLY, code_and_value
from embodied.clock import SECOND, Time
from embodied.messages import GripperState

GRIPPERS = ("xarm", "none")
"""Grippers that a driver can be set to: UFACTORY's own, or none at the flange."""

EVERY = 5
"""Number of steps per reading, and per command, of the gripper: its bus is slow beside the control box."""

COMMAND_STEP = 2
"""Step of every `EVERY` in which a command is sent; a reading is taken in step 0."""

FULL_SPEED = 5000
"""Speed of the drive [pulses/s]."""

REMEDY = "is it plugged in? without one, set `gripper: none`"
"""Remedy for a gripper that does not answer."""

MARGIN = 50
"""Number of pulses by which a reading may be outside the drive's range."""


class Gripper:
    """Gripper of a connected xArm, commanded and read through the vendor's SDK.

    Args:
        sdk: connected arm of the SDK.

    Attributes:
        trouble: reason why it was not read or commanded the last time; empty if it was.
    """

    def __init__(self, sdk: Any) -> None:
        self._sdk = sdk
        self.trouble = ""
        self._pulses: int | None = None
        self._read: tuple[Time, float] | None = None

    def enable(self) -> None:
        """Switch its drive on, at full speed."""
        self._sdk.set_gripper_enable(True)
        self._sdk.set_gripper_mode(0)
        self._sdk.set_gripper_speed(FULL_SPEED)
        self._pulses = None

    def move(self, opening: float, step: int) -> float | None:
        """Send an opening [m], if it is new and a command is due; return the one that the box took last.

        Args:
            opening: opening that is wanted [m], clipped to the range of the drive.
            step: number of the driver's step.
        """
        pulses = min(max(round(opening / PULSE), PULSES[0]), PULSES[1])
        if pulses != self._pulses and (self._pulses is None or step % EVERY == COMMAND_STEP):
            code = self._sdk.set_gripper_position(pulses, wait=False, wait_motion=False, check_baud=False)
            if code not in (0, *NO_REPLY):
                self._pulses = None
                self.trouble = f"the gripper took no command (code {code}); {REMEDY}"
                return None
            self._pulses = pulses
        return None if self._pulses is None else self._pulses * PULSE

    def read(self, step: int, now: Time) -> GripperState | None:
        """Return the state of the gripper, if a reading is due and plausible; its force is not measured.

        Args:
            step: number of the driver's step.
            now: time of the step.
        """
        if step % EVERY:
            return None
        code, pulses = code_and_value(self._sdk.get_gripper_position(check_baud=False))
        if code != 0 or pulses is None or not PULSES[0] - MARGIN <= pulses <= PULSES[1] + MARGIN:
            self.trouble = f"the gripper does not answer (code {code}); {REMEDY}"
            return None
        self.trouble = ""
        width = pulses * PULSE
        speed = 0.0
        if self._read is not None:
            before, last = self._read
            speed = (width - last) / max((now - before) / SECOND, 1e-3)
        self._read = (now, width)
        return GripperState(width=width, speed=speed, force=math.nan, acquired=now)
