"""Flaws of a real lens and sensor: exposure, white balance, blur, distortion and noise, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.world import Rendering
from sims.rendering.mesh import Pixels


@dataclass(frozen=True, slots=True)
class Imperfections:
    """Flaws of a lens and sensor: deviations from the pinhole that the camera's `CameraInfo` states.

    Attributes:
        gain: factor of each colour: exposure times white balance.
        blur: standard deviation of the blur [px].
        noise: standard deviation of each value, of 255.
        bend: residual radial distortion at a corner of the image [px].
    """

    gain: tuple[float, float, float]
    blur: float
    noise: float
    bend: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw the flaws of one calibrated camera."""
        red, green, blue = (rng.uniform(0.8, 1.25) * rng.uniform(0.94, 1.06, 3)).tolist()
        return cls((red, green, blue), rng.uniform(0.0, 0.8), rng.uniform(0.0, 5.0), rng.uniform(-1.0, 1.0))


class Lens:
    """Flaws of one camera's lens and sensor, applied to rendered images.

    Args:
        rng: random numbers of its flaws and its noise.
        width, height: size of the images [px].
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        self.flaws = Imperfections.draw(rng)
        self._rng = rng
        size = 3 * width * height
        # Noise is cut from a pool at random places: drawing it for each image would take longer than rendering.
        noise = rng.standard_normal(size + size // 2, dtype=np.float32) * np.float32(self.flaws.noise)
        self._pool = np.rint(noise).astype(np.int16)
        levels = np.arange(256)[:, None] * np.array(self.flaws.gain)
        self._levels = np.minimum(np.rint(levels), 255).astype(np.uint8)[None]
        v, u = np.mgrid[:height, :width].astype(np.float32)
        x, y = u - (width - 1) / 2, v - (height - 1) / 2
        corner = float(np.hypot(width / 2, height / 2))
        # Radial distortion of the third order: the shift grows with the cube of the distance from the middle.
        shift = self.flaws.bend * (x * x + y * y) / corner**3
        self._from = (u + shift * x).astype(np.float32), (v + shift * y).astype(np.float32)

    def apply(self, seen: Rendering) -> Rendering:
        """Distort all images, and apply gain, blur and noise to the colours."""
        rgb, depth, numbers = seen.rgb, seen.depth, seen.segmentation
        if rgb is not None:
            rgb = self._colours(rgb)
        if depth is not None:
            depth = self._bent(depth, cv2.INTER_NEAREST).astype(np.float32, copy=False)
        if numbers is not None:
            # OpenCV bends floats, and these hold the numbers of bodies exactly.
            numbers = self._bent(numbers.astype(np.float32), cv2.INTER_NEAREST).astype(np.int32)
        return Rendering(rgb, depth, numbers)

    def _colours(self, rgb: Pixels) -> Pixels:
        bent = self._bent(rgb, cv2.INTER_LINEAR)
        if self.flaws.blur > 0.2:
            bent = cv2.GaussianBlur(bent, (5, 5), self.flaws.blur)
        at = int(self._rng.integers(len(self._pool) - rgb.size + 1))
        noisy = cv2.LUT(bent, self._levels).astype(np.int16) + self._pool[at : at + rgb.size].reshape(rgb.shape)
        flawed: Pixels = np.clip(noisy, 0, 255).astype(np.uint8)
        return flawed

    def _bent(self, image: NDArray[Any], way: int) -> NDArray[Any]:
        return cv2.remap(image, *self._from, way, None, cv2.BORDER_REPLICATE)
