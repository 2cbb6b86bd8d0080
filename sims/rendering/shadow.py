"""Shadows by a depth map from the lamp (L. Williams, Casting curved shadows on curved surfaces, SIGGRAPH 1978)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector
from sims.rendering.mesh import Floats, Mesh
from sims.rendering.view import View

SIZE = 768  # of the map [px]
DISTANCE = 40.0  # of the lamp: far enough that its rays are nearly parallel [m]
BIAS = 0.002  # by how much something must be nearer to the lamp [m]
SHARE, LEAST, MOST = 0.6, 1.5, 6.0
"""Things throw shadows as far around the middle of what is seen as this share of how far away that is; at least and at
most so far [m]."""


def shadowed(
    meshes: Sequence[Mesh],
    world: Vector,
    view: View,
    depth: Floats,
    towards: tuple[float, float, float],
) -> NDArray[np.bool_]:
    """Which pixels the lamp does not reach, shape (h·w,).

    Args:
        meshes: everything that throws shadows.
        world: the pose of each, shape (k, 4, 4) [m].
        view: of the picture.
        depth: of the picture, as OpenGL has it, shape (h, w).
        towards: unit vector to the lamp.
    """
    away = view.metres(depth).reshape(-1).astype(np.float64)
    points = view.position + away[:, None] * view.rays().reshape(-1, 3)
    seen = away > 0.0
    middle = np.median(points[seen], axis=0) if seen.any() else view.position
    reach = float(np.clip(SHARE * np.median(away[seen]), LEAST, MOST)) if seen.any() else LEAST
    eye = middle + DISTANCE * np.asarray(towards)
    lamp = View.towards(
        tuple(eye), tuple(middle), SIZE, SIZE, 2 * reach, near=DISTANCE - 2 * reach, far=DISTANCE + 2 * reach
    )
    buffer = np.ones((SIZE, SIZE), np.float32)
    settings = cv2.TriangleRasterizeSettings()
    # The far sides of things throw the shadow, so that their lit sides never shade themselves.
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
