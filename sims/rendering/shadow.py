"""Shadows by a depth map from the lamp (L. Williams, Casting curved shadows on curved surfaces, SIGGRAPH 1978)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector
from sims.rendering.mesh import Floats, Mesh
from sims.rendering.view import ImageFormat, View

SIZE = 768
"""Width and height of the depth map [px]."""

DISTANCE = 40.0
"""Distance of the lamp, large enough that its rays are nearly parallel [m]."""

BIAS = 0.002
"""Distance by which a surface must be nearer to the lamp to throw a shadow [m]."""

REACH_SHARE = 0.6
"""Radius in which bodies throw shadows around the middle of the image, as a share of its distance."""

REACH_LEAST = 1.5
"""Smallest such radius [m]."""

REACH_MOST = 6.0
"""Largest such radius [m]."""


def shadowed(
    meshes: Sequence[Mesh],
    world: Vector,
    view: View,
    depth: Floats,
    towards: tuple[float, float, float],
) -> NDArray[np.bool_]:
    """Find the pixels in shadow, which the lamp does not reach, shape (h·w,).

    Args:
        meshes: surfaces that throw shadows.
        world: pose of each surface, shape (k, 4, 4) [m].
        view: view of the image.
        depth: depth buffer of the image, as OpenGL has it, shape (h, w).
        towards: unit vector to the lamp.
    """
    away = view.metres(depth).reshape(-1).astype(np.float64)
    points = view.position + away[:, None] * view.rays().reshape(-1, 3)
    seen = away > 0.0
    middle = np.median(points[seen], axis=0) if seen.any() else view.position
    reach = float(np.clip(REACH_SHARE * np.median(away[seen]), REACH_LEAST, REACH_MOST)) if seen.any() else REACH_LEAST
    eye = middle + DISTANCE * np.asarray(towards)
    images = ImageFormat(SIZE, SIZE, DISTANCE - 2 * reach, DISTANCE + 2 * reach)
    lamp = View.towards(tuple(eye), tuple(middle), images, 2 * reach)
    buffer = np.ones((SIZE, SIZE), np.float32)
    settings = cv2.TriangleRasterizeSettings()
    # Faces turned away from the lamp throw the shadow, so that lit faces never shade themselves.
    settings.setCullingMode(cv2.RASTERIZE_CULLING_CCW)
    settings.setGlCompatibleMode(cv2.RASTERIZE_COMPAT_INVDEPTH)
    camera, angle = lamp.opengl(), float(2 * np.arctan2(SIZE / 2, lamp.focal))
    for mesh, pose in zip(meshes, world, strict=True):
        cv2.triangleRasterizeDepth(
            mesh.corners, mesh.faces, buffer, camera @ pose, angle, lamp.near, lamp.far, settings
        )
    placed = points @ camera[:3, :3].T + camera[:3, 3]
    column, row = (
        np.rint(lamp.focal * sign * placed[:, i] / -placed[:, 2] + (SIZE - 1) / 2).astype(np.intp)
        for i, sign in ((0, 1.0), (1, -1.0))
    )
    inside = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
    nearest = lamp.metres(buffer)[np.where(inside, row, 0), np.where(inside, column, 0)]
    hidden: NDArray[np.bool_] = inside & (nearest > 0.0) & (nearest < -placed[:, 2] - BIAS)
    return hidden
