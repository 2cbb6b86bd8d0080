"""Mesh of triangles with normals and a texture, and meshes of primitives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector

Floats = NDArray[np.float32]
Faces = NDArray[np.int32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Mesh:
    """Mesh of triangles, visible from outside only, as in TinyRenderer.

    Attributes:
        corners: corners of the triangles, shape (n, 3) [m].
        normals: unit normal at each corner, shape (n, 3).
        faces: indices of corners, counter-clockwise from outside, shape (m, 3).
        places: texture coordinates of each corner, (0, 0) at the lower left, shape (n, 2); None without texture.
        texture: texture, shape (h, w, 3), RGB.
    """

    corners: Floats
    normals: Floats
    faces: Faces
    places: Floats | None = None
    texture: Pixels | None = None

    @classmethod
    def flat(cls, triangles: Vector, places: Vector | None = None, texture: Pixels | None = None) -> Self:
        """Build a mesh with sharp edges from triangles (m, 3, 3) [m] and texture coordinates (m, 3, 2)."""
        across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        length = np.linalg.norm(across, axis=1)
        kept = length > 0.0
        triangles, across = triangles[kept], across[kept] / length[kept, None]
        return cls(
            triangles.reshape(-1, 3).astype(np.float32),
            np.repeat(across, 3, axis=0).astype(np.float32),
            np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3),
            None if places is None else places[kept].reshape(-1, 2).astype(np.float32),
            texture,
        )

    def scaled(self, scale: Vector) -> Mesh:
        """Scale each axis, shape (3,); the faces of a mirrored mesh are turned outside again."""
        if np.array_equal(scale, (1.0, 1.0, 1.0)):
            return self
        normals = self.normals / np.where(scale == 0.0, 1.0, scale)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        faces = self.faces if np.prod(scale) > 0.0 else np.ascontiguousarray(self.faces[:, ::-1])
        corners = (self.corners * scale).astype(np.float32)
        return Mesh(corners, normals.astype(np.float32), faces, self.places, self.texture)


def box(extents: Vector) -> Mesh:
    """Build a mesh of a box about the origin, of full extents, shape (3,) [m]."""
    triangles = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-0.5, 0.5):
            corners = np.full((4, 3), sign)
            corners[:, u], corners[:, v] = (-0.5, 0.5, 0.5, -0.5), (-0.5, -0.5, 0.5, 0.5)
            order = (0, 1, 2, 0, 2, 3) if sign > 0 else (0, 2, 1, 0, 3, 2)
            triangles.append(corners[list(order)].reshape(2, 3, 3))
    return Mesh.flat(np.concatenate(triangles) * extents)


def rectangle(x: tuple[float, float], y: tuple[float, float], z: float, texture: Pixels | None = None) -> Mesh:
    """Build a mesh of a level rectangle that faces up, from x[0] to x[1] and y[0] to y[1], at a height z [m].

    The left edge of its texture lies along y at x[0]; the texture's lower edge lies along x at y[0].
    """
    corners = np.array([(x[i], y[j], z) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))])
    places = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    faces = [[0, 1, 2], [0, 2, 3]]
    return Mesh.flat(corners[faces], places[faces], texture)


def slab(x: tuple[float, float], y: tuple[float, float], top: float, thick: float, texture: Pixels) -> Mesh:
    """Build a mesh of a level slab from x[0] to x[1] and y[0] to y[1], with a texture as on a `rectangle` [m]."""
    middle = np.array([sum(x) / 2, sum(y) / 2, top - thick / 2])
    extents = np.array([x[1] - x[0], y[1] - y[0], thick])
    corners = box(extents).corners.astype(np.float64) + middle
    # The sides show the edge of the texture; the inset keeps its opposite edge from wrapping around.
    inset = np.clip((corners[:, :2] - (x[0], y[0])) / extents[:2], 0.001, 0.999)
    return Mesh.flat(corners.reshape(-1, 3, 3), inset.reshape(-1, 3, 2), texture)


def cylinder(radius: float, height: float, sides: int = 20) -> Mesh:
    """Build a mesh of an upright prism about the origin; side and ends have corners of their own, for a sharp edge."""
    turn = 2 * math.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(sides)], axis=1)
    up = np.array([0.0, 0.0, height / 2])
    corners = np.concatenate([radius * ring - up, radius * ring + up] * 2)
    ends = np.repeat([(0.0, 0.0, -1.0), (0.0, 0.0, 1.0)], sides, axis=0)
    faces: list[tuple[int, int, int]] = []
    for k in range(sides):
        following = (k + 1) % sides
        faces += [(k, following, sides + following), (k, sides + following, sides + k)]
    for k in range(1, sides - 1):
        faces += [(2 * sides, 2 * sides + k + 1, 2 * sides + k), (3 * sides, 3 * sides + k, 3 * sides + k + 1)]
    normals = np.concatenate([ring, ring, ends])
    return Mesh(corners.astype(np.float32), normals.astype(np.float32), np.array(faces, dtype=np.int32))


def capsule(radius: float, height: float, sides: int = 24) -> Mesh:
    """Build a mesh of an upright cylinder with half spheres on its ends; a sphere when its height is 0 [m]."""
    rise = np.linspace(-math.pi / 2, math.pi / 2, sides + 2 if height > 0.0 else sides + 1)
    if height > 0.0:
        half = len(rise) // 2
        rise = np.concatenate([np.linspace(-math.pi / 2, 0.0, half), np.linspace(0.0, math.pi / 2, half)])
    turn = 2 * math.pi * np.arange(sides) / sides
    normals = np.stack(
        [
            np.outer(np.cos(rise), np.cos(turn)),
            np.outer(np.cos(rise), np.sin(turn)),
            np.outer(np.sin(rise), np.ones(sides)),
        ],
        axis=-1,
    )
    lift = np.where(np.arange(len(rise)) < len(rise) / 2, -height / 2, height / 2)
    corners = radius * normals + lift[:, None, None] * np.array([0.0, 0.0, 1.0])
    faces = []
    for row in range(len(rise) - 1):
        for k in range(sides):
            a, b = row * sides + k, row * sides + (k + 1) % sides
            faces += [(a, b, b + sides), (a, b + sides, a + sides)]
    return Mesh(
        corners.reshape(-1, 3).astype(np.float32), normals.reshape(-1, 3).astype(np.float32), np.array(faces, np.int32)
    )
