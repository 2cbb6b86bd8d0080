"""Force limit: an arm whose joint efforts exceed a limit has hit something, and stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from embodied.messages.schema import Vector


class ForceLimit:
    """Force limit of an arm: counts consecutive periods in which a joint's effort is over its limit.

    The arm's own weight and acceleration are part of a measured effort: a limit must be above what they take.

    Args:
        names: names of the joints.
        limit: limit of each joint's effort, either way, shape (n,) [N·m].
        periods: consecutive periods over the limit that stop the arm; one alone may be noise.
    """

    def __init__(self, names: Sequence[str], limit: Vector, periods: int) -> None:
        self.names = tuple(names)
        self.limit = limit
        self.periods = periods
        self._count = 0
        self._reason = ""

    @staticmethod
    def measured(effort: Vector | None) -> TypeGuard[Vector]:
        """Return whether the device reports efforts, and all of them are finite."""
        return effort is not None and bool(np.isfinite(effort).all())

    def update(self, effort: Vector | None) -> str:
        """Return why the arm must stop in this period; empty if it need not.

        Args:
            effort: measured efforts, shape (n,) [N·m]. If they are missing, the last result stands: a contact does not
                end because the sensor is silent.
        """
        if self.measured(effort):
            ratio = np.abs(effort) / self.limit
            worst = int(np.argmax(ratio))
            self._count = self._count + 1 if ratio[worst] > 1.0 else 0
            self._reason = (
                f"{self.names[worst]}: effort {effort[worst]:.4g} is over its limit of {self.limit[worst]:.4g} N·m"
            )
        return self._reason if self._count >= self.periods else ""
