"""Allocation of arrays for messages, in the memory where they will be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Maker = Callable[[tuple[int, ...], Any], "NDArray[Any] | None"]
"""Function (shape, dtype) -> array; None where it has no memory for such an array."""

_makers: list[Maker] = []


def empty(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Allocate an uninitialized array for a message that this step publishes.

    Live, an array of a shape and dtype that an output states (see `Node.ports`) is allocated in the memory that its
    subscribers read, and costs no copy; from 16 KiB on that is worth it. Anywhere else it is `numpy.empty`.

    Args:
        shape: of the array.
        dtype: of its elements.
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for maker in _makers:
        array = maker(sizes, np.dtype(dtype))
        if array is not None:
            return array
    return np.empty(sizes, dtype)


def made_by(maker: Maker | None) -> None:
    """Set the allocator of arrays for `empty`; the runner does so around the step of each node.

    Args:
        maker: the allocator; None for `numpy.empty`.
    """
    _makers[:] = [] if maker is None else [maker]
