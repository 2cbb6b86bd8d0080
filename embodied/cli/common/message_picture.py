"""Conversion of image, depth and segmentation messages to RGB pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embodied.errors import LaunchError, Problem
from embodied.messages import Depth, Image, Segmentation
from embodied.messages.schema import Message

HUE_STEP = 0.61803398875
"""Step of the hue from one body to the next, as a share of the circle: the golden ratio keeps hues apart."""


def picture(message: Message) -> tuple[NDArray[np.uint8], str]:
    """Convert an image, depth or segmentation message to a picture, RGB of shape (h, w, 3), and describe its colours.

    Raises:
        LaunchError: the message is no picture.
    """
    if isinstance(message, Image):
        return message.data, "colours as they are"
    if isinstance(message, Depth):
        return _depth(message.data)
    if isinstance(message, Segmentation):
        return _bodies(message.data)
    text = f"{type(message).__name__} is no picture"
    raise LaunchError([Problem("E005", text, help=("Image, Depth and Segmentation are",))])


def _depth(data: NDArray[np.float32]) -> tuple[NDArray[np.uint8], str]:
    """Colour distances from red, near, to blue, far; pixels without measurement are black."""
    import cv2

    known = np.isfinite(data) & (data > 0)
    if not known.any():
        return np.zeros((*data.shape, 3), np.uint8), "nothing was measured"
    near, far = float(data[known].min()), float(data[known].max())
    share = np.where(known, (far - data) / max(far - near, 1e-9), 0.0)
    colours = cv2.cvtColor(cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.where(known[..., None], colours, 0).astype(np.uint8), f"red is {near:.3g} m, blue is {far:.3g} m"


def _bodies(data: NDArray[np.int32]) -> tuple[NDArray[np.uint8], str]:
    """Give each body a colour of its own; the background is black."""
    import cv2

    bodies = np.unique(data)
    hues = ((bodies * HUE_STEP) % 1.0 * 179).astype(np.uint8)
    hsv = np.stack([hues, np.full_like(hues, 200), np.where(bodies < 0, 0, 230).astype(np.uint8)], axis=-1)
    palette = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    colours = palette[np.searchsorted(bodies, data)]
    return colours.astype(np.uint8), f"{int((bodies >= 0).sum())} bodies, one colour each"
