"""A limit of force: an arm whose joints push harder than they should has met something, and stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from embodied.messages.schema import Vector


class ForceLimit:
    """Counts the periods in a row in which a joint was over its limit.

    What the arm's own weight and acceleration take is part of an effort: a limit leaves room for them.

    Args:
        names: of the joints.
        limit: of each joint's effort, either way, shape (n,) [N·m].
        periods: how many in a row are one too many; one alone may be noise.
    """

    def __init__(self, names: Sequence[str], limit: Vector, periods: int) -> None:
        self.names = tuple(names)
        self.limit = limit
        self.periods = periods
        self._count = 0
        self._why = ""

    @staticmethod
    def measured(effort: Vector | None) -> TypeGuard[Vector]:
        """Whether there is anything to go by: the device reports efforts, and they are numbers."""
        return effort is not None and bool(np.isfinite(effort).all())

    def over(self, effort: Vector | None) -> str:
        """One period.

        Args:
            effort: as measured, shape (n,) [N·m]. Without, whatever was known remains: silence does not take away
                what pushes.

        Returns:
            why the arm must stop, as long as it must; empty: it need not.
        """
        if self.measured(effort):
            ratio = np.abs(effort) / self.limit
            worst = int(np.argmax(ratio))
            self._count = self._count + 1 if ratio[worst] > 1.0 else 0
            self._why = (
                f"{self.names[worst]}: effort {effort[worst]:.4g} is over its limit of {self.limit[worst]:.4g} N·m"
            )
        return self._why if self._count >= self.periods else ""
