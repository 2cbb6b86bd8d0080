"""Clipping of triangles at the near plane, for a rasteriser that divides by depth."""

from __future__ import annotations

import numpy as np

from sims.rendering.mesh import Floats


def clipped(triangles: Floats, near: float) -> Floats:
    """Clip triangles to the part beyond the near plane.

    Args:
        triangles: x, y, z of each corner in OpenGL's camera frame (z backwards) [m], and k values to interpolate,
            shape (m, 3, 3 + k).
        near: distance of the plane [m].

    Returns:
        triangles, with one or two for each that is cut and none for one that is wholly nearer.
    """
    inside = triangles[..., 2] <= -near
    count = inside.sum(axis=1)
    # Turned so that the corner that differs from the two others comes first; the winding stays.
    alone, pair = count == 1, count == 2
    odd = np.where(alone, np.argmax(inside, axis=1), np.argmin(inside, axis=1))
    turned = triangles[np.arange(len(triangles))[:, None], (odd[:, None] + np.arange(3)) % 3]
    a, b, c = (turned[:, i] for i in range(3))
    ab, ac = _crossing(a, b, near), _crossing(a, c, near)
    parts = [
        triangles[count == 3],
        np.stack([a, ab, ac], axis=1)[alone],
        np.stack([ab, b, c], axis=1)[pair],
        np.stack([ab, c, ac], axis=1)[pair],
    ]
    return np.concatenate(parts).astype(np.float32)


def _crossing(one: Floats, other: Floats, near: float) -> Floats:
    fall = other[:, 2] - one[:, 2]
    share = (-near - one[:, 2]) / np.where(fall == 0.0, 1.0, fall)
    crossing: Floats = one + share[:, None] * (other - one)
    crossing[:, 2] = -near
    return crossing
