"""Pinhole camera: projection of points to pixels, and back with a depth or a height.

Pixel centres lie at whole numbers; the optical frame is x right, y down, z into the scene (Hartley and Zisserman,
Multiple View Geometry, 2nd edition, §6.1).
"""

from __future__ import annotations

import numpy as np

from embodied.geometry import rotation
from embodied.messages import CameraInfo, Vector


class Pinhole:
    """Pinhole model of one `CameraInfo`, in the frame of its pose."""

    def __init__(self, info: CameraInfo) -> None:
        self._focal = np.array([info.matrix[0, 0], info.matrix[1, 1]])
        self._centre = np.array([info.matrix[0, 2], info.matrix[1, 2]])
        self._rotation = rotation(info.orientation)
        self._position = info.position

    def project(self, points: Vector) -> Vector:
        """Project points to pixels of the image.

        Args:
            points: points in front of the camera, shape (k, 3) [m].

        Returns:
            column and row of each point, shape (k, 2) [px].
        """
        local = (points - self._position) @ self._rotation
        pixels: Vector = local[:, :2] / local[:, 2:] * self._focal + self._centre
        return pixels

    def at_depth(self, pixels: Vector, depth: Vector) -> Vector:
        """Return the points at pixels that have a depth along the optical axis.

        Args:
            pixels: column and row, shape (k, 2) [px].
            depth: depth of each pixel, shape (k,) [m].

        Returns:
            points, shape (k, 3) [m].
        """
        points: Vector = self._rays(pixels) * depth[:, None] + self._position
        return points

    def at_height(self, pixels: Vector, height: Vector) -> Vector:
        """Return the points at pixels that have a height.

        Args:
            pixels: column and row, shape (k, 2) [px].
            height: z of each point, shape (k,) [m].

        Returns:
            points, shape (k, 3) [m].
        """
        rays = self._rays(pixels)
        along = (height - self._position[2]) / rays[:, 2]
        points: Vector = rays * along[:, None] + self._position
        return points

    def _rays(self, pixels: Vector) -> Vector:
        local = np.concatenate([(pixels - self._centre) / self._focal, np.ones((len(pixels), 1))], axis=1)
        rays: Vector = local @ self._rotation.T
        return rays
