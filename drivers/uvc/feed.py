"""Feed of pictures: the interface of live streams and recordings to the driver."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.clock import Time
from embodied.node.identity import Identity


class Picture(NamedTuple):
    """New picture of a feed, with the time of its acquisition."""

    rgb: NDArray[np.uint8]  # (h, w, 3)
    acquired: Time


class Feed(Protocol):
    """Interface of a feed: a sequence of pictures of one size.

    Attributes:
        size: width and height of the first picture [px].
        identity: what the camera that was met reported of itself; None if that is not known.
        rejected: number of pictures that were damaged, repeated, or of another size than the first.
    """

    size: tuple[int, int]
    identity: Identity | None
    rejected: int

    def take(self, now: Time) -> Picture | None:
        """Return the newest picture, if it was not taken before.

        Args:
            now: time of the graph's clock.

        Raises:
            DeviceLost: no picture will come any more.
        """

    def trouble(self) -> str:
        """Return why there is no new picture, as far as that is known."""

    def close(self) -> None:
        """Release the device, the connection or the file."""
