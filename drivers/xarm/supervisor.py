"""Supervisor of an armed control box: whether it is as it was armed, and whether its joints are where they were sent.

Several clients may command a box, and it tells none of them of the others. What betrays them is the mode and the state
of the box, which come in its reports, and joints that are where nobody here has sent them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivers.xarm.codec import Mode, State
from drivers.xarm.faults import fault_text
from embodied.clock import SECOND, Time
from embodied.messages import Vector

REPORT_AGE = 0.6
"""Age of the newest report, of five a second, above which the mode and the temperatures are not known [s]."""

FOLLOWING_STEPS = 30
"""Number of the newest targets, of 100 a second, between which each joint has to be."""

FOLLOWING_MARGIN = 0.1
"""Distance from these targets above which a joint does not follow [rad]."""

AGAIN = "make sure that nobody else commands it, and arm it again"
"""Remedy after somebody else had the box."""


@dataclass(frozen=True, slots=True)
class Intrusion:
    """Reason why an armed box is not as it was armed.

    Attributes:
        reason: in words, with what to do about it.
        ours: whether it may still follow a target of ours, and so has to be stopped.
    """

    reason: str
    ours: bool


class Supervisor:
    """Supervisor of one control box, from one arming to the next.

    Args:
        arm: connected arm of the SDK.
        names: names of its joints.
    """

    def __init__(self, arm: Any, names: Sequence[str]) -> None:
        self._arm = arm
        self._names = names
        self._targets: deque[Vector] = deque(maxlen=FOLLOWING_STEPS)
        self._report: tuple[float, Time] | None = None

    def begin(self, position: Vector) -> None:
        """Begin again, with an arm that stands at joint positions (n,) [rad] and has no target."""
        self._targets.clear()
        self._targets.append(position)
        self._report = None

    def sent(self, target: Vector) -> None:
        """Take note of the target that holds after this step: joint positions, shape (n,) [rad]."""
        self._targets.append(target)

    def reported(self, now: Time) -> bool:
        """Return whether the newest report of the box is new enough to be believed."""
        received = float(self._arm._arm._last_report_time)
        if self._report is None or received != self._report[0]:
            self._report = received, now
        return now - self._report[1] <= REPORT_AGE * SECOND

    def intrusion(self, measured: Vector | None, now: Time) -> Intrusion | None:
        """Return what is not as it was armed; None if nothing is.

        Args:
            measured: joint positions of this step, shape (n,) [rad]; None if there are none.
            now: time of the step.
        """
        error, state, mode = int(self._arm.error_code), int(self._arm.state), int(self._arm.mode)
        if error:
            return Intrusion(fault_text(error), ours=False)
        if state >= State.STOPPED:
            return Intrusion(f"it is in state {state}: somebody has stopped it, or it has restarted; {AGAIN}", False)
        if state == State.PAUSED:
            return Intrusion(f"it is in state {state}: somebody has paused it; {AGAIN}", ours=True)
        if mode != Mode.SERVO:
            return Intrusion(f"it is in mode {mode}, and was armed in mode {Mode.SERVO:d}; {AGAIN}", ours=False)
        if not self.reported(now):
            text = f"it sent no report for {REPORT_AGE:g} s, so its mode is not known; arm it again"
            return Intrusion(text, ours=True)
        return None if measured is None else self._astray(measured)

    def _astray(self, measured: Vector) -> Intrusion | None:
        low = np.min(self._targets, axis=0) - FOLLOWING_MARGIN
        high = np.max(self._targets, axis=0) + FOLLOWING_MARGIN
        if np.all((low <= measured) & (measured <= high)):
            return None
        joint = int(np.argmax(np.maximum(low - measured, measured - high)))
        text = (
            f"{self._names[joint]} is at {measured[joint]:.2f} rad, and was sent to {self._targets[-1][joint]:.2f}: "
            f"somebody else moves it, or it is blocked; {AGAIN}"
        )
        return Intrusion(text, ours=True)
