"""Calibration: what was measured of this very camera, and how it is measured."""

from embodied.calibration.camera import OPTICAL, Calibration

__all__ = ["OPTICAL", "Calibration"]
