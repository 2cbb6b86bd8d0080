"""Agreement of measurements: a set-point begins again where several of them place the body, never where one does.

One measurement can be wrong: a flipped bit, a jump of an estimate, a message that somebody published by hand. A
set-point that begins at it makes the driver jump there.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from embodied.messages.schema import Vector

MEASUREMENTS = 3
"""Number of consecutive measurements that must agree before a set-point begins again."""


class Agreement:
    """Agreement of the last measurements of one body.

    At the start the first measurement counts: its driver has just identified the device.

    Args:
        tolerance: largest difference between two of them, in any of their numbers, in the unit of those numbers.

    Attributes:
        begun: whether anything was measured yet.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.begun = False
        self._pending = False
        self._last: object = None
        self._values: deque[Vector] = deque(maxlen=MEASUREMENTS)

    def add(self, measurement: object, *values: float) -> None:
        """Add a measurement; one that is read again, because there is none newer, counts once.

        Args:
            measurement: message that was measured.
            values: numbers in it that must agree.
        """
        if measurement is not self._last:
            self.begun = True
            self._last = measurement
            self._values.append(np.array(values))
            self._pending = self._pending and not self._agree()

    def forget(self) -> None:
        """Forget all measurements, as there is none now, or none to be believed: the next ones must agree."""
        self._pending = self.begun
        self._last = None
        self._values.clear()

    def require(self) -> None:
        """Require that the measurements agree from now on, unless the last ones do."""
        self._pending = not self._agree()

    def _agree(self) -> bool:
        enough = len(self._values) == MEASUREMENTS
        return enough and bool(np.ptp(np.array(self._values), axis=0).max() <= self.tolerance)

    def refusal(self) -> str:
        """Return what a set-point waits for; empty if it may begin."""
        return f"waits for {MEASUREMENTS} measurements that agree" if self._pending else ""
