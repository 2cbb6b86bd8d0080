"""A node that takes a calibration, as a camera does."""

from __future__ import annotations

from dataclasses import dataclass

from embodied import Node
from embodied.calibration import Calibration
from embodied.messages import CameraInfo


@dataclass
class Eye(Node):
    """Says how it was measured."""

    calibration: Calibration | None = None

    rate = 10.0

    def step(self) -> CameraInfo | None:
        return None if self.calibration is None else self.calibration.info()
