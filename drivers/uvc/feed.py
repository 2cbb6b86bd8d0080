"""What a camera reads its pictures from, whatever that is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.clock import Time


class Picture(NamedTuple):
    """A picture that was not given before."""

    rgb: NDArray[np.uint8]  # (h, w, 3)
    acquired: Time


class Feed(Protocol):
    """Pictures, one after another.

    Attributes:
        size: width and height of the first [px].
        rejected: how many were no pictures, no new ones, or of another size than the first.
    """

    size: tuple[int, int]
    rejected: int

    def take(self, now: Time) -> Picture | None:
        """The newest, if it was not taken before.

        Args:
            now: on the graph's clock.

        Raises:
            DeviceLost: there will be none any more.
        """

    def trouble(self) -> str:
        """Why there is none, as far as that is known."""

    def close(self) -> None:
        """Give everything back."""
