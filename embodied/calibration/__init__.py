"""Calibration of cameras: intrinsics, distortion and pose, and their measurement from images of a board."""

from embodied.calibration.camera import OPTICAL, Calibration

__all__ = ["OPTICAL", "Calibration"]
