"""How well something held its place: its best stay there that was long enough, without its arrival and its leaving."""

from __future__ import annotations

import numpy as np

HELD = 0.10  # 95 % of a hold lie within this of where it should be [m]
NEAR = 0.5  # within this of it a stay begins, and beyond it ends [m]
ARRIVING = 3.0  # of a stay that do not count yet [s]
HOLDING = 5.0  # how long those that count are at least [s]


class Stay:
    """Follows how far something is from where it should hold.

    Args:
        looks: a second [Hz].

    Attributes:
        held: what 95 % of its best stay that was long enough lie within [m]; None: there was none.
    """

    def __init__(self, looks: int) -> None:
        self._arriving, self._enough = round(ARRIVING * looks), round((ARRIVING + HOLDING) * looks)
        self._stay: list[float] = []
        self.held: float | None = None

    def see(self, error: float) -> None:
        """Take in how far it is from there [m]."""
        self._stay = [*self._stay, error] if error <= NEAR else []
        if len(self._stay) >= self._enough:
            # Leaving is no part of a hold: the best is what it was before.
            error = float(np.quantile(self._stay[self._arriving :], 0.95))
            self.held = error if self.held is None else min(self.held, error)

    def missed(self, place: str) -> str:
        """Why this was no hold over a place, empty if it was."""
        if self.held is None:
            return f"it never held over {place}"
        return "" if self.held <= HELD else f"it held over {place} within {self.held:.3f} m, {HELD} allowed"
