"""Arrays for messages, made where they will be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Maker = Callable[[tuple[int, ...], Any], "NDArray[Any] | None"]

_makers: list[Maker] = []


def empty(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """An array for a message that this step gives, with anything in it.

    Live, an array of a shape and dtype that an output states (see `Node.ports`) is made in the memory its takers read,
    and costs no copy; from 16 KiB on that is worth it. Anywhere else it is `numpy.empty`.

    Args:
        shape: of the array.
        dtype: of its elements.
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for maker in _makers:
        made = maker(sizes, np.dtype(dtype))
        if made is not None:
            return made
    return np.empty(sizes, dtype)


def made_by(maker: Maker | None) -> None:
    """From now on, who makes arrays; the runner says so around the step of each node."""
    _makers[:] = [] if maker is None else [maker]
