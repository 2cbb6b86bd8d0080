"""Renderer `opencv`, the fast one: OpenCV's z-buffer finds the surface of each pixel, NumPy shades the pixels.

`cv2.triangleRasterize` (OpenCV 5) interpolates three numbers over each triangle: here the number of the surface, with
the cosine of the light in its fraction, and the place in a texture. It samples at pixel centres, on one thread, in the
order of the triangles, so that the same input gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.errors import WorldFailed
from embodied.messages import Vector
from embodied.world import Rendering
from sims.rendering.clip import clipped
from sims.rendering.mesh import Floats, Pixels
from sims.rendering.models import Models, Shape
from sims.rendering.renderer import SKY, Light
from sims.rendering.shadow import shadowed
from sims.rendering.view import OFFSET, View


class Rasteriser:
    """Renderer `opencv` of models on the processor, on one thread.

    Args:
        models: models of all bodies.
        light: light of the images.
    """

    name: ClassVar[str] = "opencv"

    def __init__(self, models: Models, light: Light) -> None:
        self.version()
        self._light = light
        self._surfaces = [_Surface(number, shape) for number, shape in enumerate(models.shapes)]
        self._meshes = [shape.mesh for shape in models.shapes]
        self._still = [surface for surface in self._surfaces if surface.shape.still]
        self._moving = [surface for surface in self._surfaces if not surface.shape.still]
        self._frames = np.array([shape.frame for shape in models.shapes], dtype=np.intp)
        self._locals = np.array([shape.local for shape in models.shapes]).reshape(-1, 4, 4)
        self._spheres = np.array([surface.sphere for surface in self._surfaces]).reshape(-1, 5)
        # One row more for pixels without a surface, whose number is -1.
        colours = [*(shape.colour for shape in models.shapes), (SKY / 255,) * 3]
        self._colours = np.clip(np.array(colours, dtype=np.float32), 0.0, 1.0)
        self._bodies = np.array([*(shape.body for shape in models.shapes), -1], dtype=np.int32)
        self._settings = cv2.TriangleRasterizeSettings()
        self._settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
        self._settings.setCullingMode(cv2.RASTERIZE_CULLING_CW)
        self._settings.setGlCompatibleMode(cv2.RASTERIZE_COMPAT_INVDEPTH)
        self._view: View | None = None
        self._kept: _Background | None = None

    @classmethod
    def version(cls) -> str:
        """Return the version of OpenCV.

        Raises:
            WorldFailed: OpenCV is older than 5.
        """
        if not hasattr(cv2, "triangleRasterize"):
            raise WorldFailed(
                f"the renderer 'opencv' needs OpenCV 5, and this is {cv2.__version__}: "
                "pip install 'opencv-python-headless>=5.0'"
            )
        return str(cv2.__version__)

    def render(self, poses: Vector, view: View, *, rgb: bool, depth: bool, segmentation: bool) -> Rendering:
        """Render one exposure as `Renderer.render` does."""
        world = poses[self._frames] @ self._locals
        background = self._background(view, world)
        buffers = self._draw_still(view, world) if background is None else background.restored()
        self._draw(buffers, self._moving, world, view)
        # A shadow may fall on what has not moved.
        coloured, numbers = None, None
        if background is None or (rgb and self._light.shadows):
            coloured, numbers = self._finish(buffers, world, view, rgb)
        elif rgb or segmentation:
            coloured, numbers = self._finish_over(background, buffers, rgb, segmentation)
        return Rendering(
            coloured if rgb else None,
            view.metres(buffers.depth) if depth else None,
            numbers if segmentation else None,
        )

    def _background(self, view: View, world: Vector) -> _Background | None:
        # Images of what never moves, kept from the second exposure of the same view on: a view that moves every time
        # would never use them.
        still = world[[surface.number for surface in self._still]]
        known = self._kept
        if view is not self._view:
            self._kept = None
        elif known is None or not np.array_equal(known.poses, still):
            buffers = self._draw_still(view, world)
            self._kept = _Background(still, buffers, _Buffers.empty(view), *self._finish(buffers, world, view))
        self._view = view
        return self._kept

    def _draw_still(self, view: View, world: Vector) -> _Buffers:
        buffers = _Buffers.empty(view)
        self._draw(buffers, self._still, world, view)
        return buffers

    def _draw(self, buffers: _Buffers, surfaces: Iterable[_Surface], world: Vector, view: View) -> None:
        camera = camera_matrix(view)
        placed = camera @ world
        seen, cut = _within(self._spheres, placed, view)
        light = np.asarray(self._light.towards) @ world[:, :3, :3]
        angle = float(2 * np.arctan2(view.height / 2, view.focal))
        for surface in surfaces:
            number = surface.number
            if not seen[number]:
                continue
            surface.light(light[number])
            corners, faces, values, pose = *surface.arrays, placed[number]
            if cut[number]:
                moved = (corners @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
                parts = clipped(np.concatenate([moved, values], axis=1)[faces], view.near)
                if not len(parts):
                    continue
                corners, values = (np.ascontiguousarray(part.reshape(-1, 3)) for part in np.split(parts, 2, axis=2))
                faces, pose = np.arange(len(corners), dtype=np.int32).reshape(-1, 3), np.eye(4)
            cv2.triangleRasterize(
                corners, faces, values, buffers.values, buffers.depth, pose, angle, view.near, view.far, self._settings
            )

    def _finish(
        self, buffers: _Buffers, world: Vector, view: View, rgb: bool = True
    ) -> tuple[Pixels, NDArray[np.int32]]:
        """Shade all pixels; return colours and numbers of bodies."""
        values = buffers.values.reshape(-1, 3)
        surfaces = np.floor(values[:, 0]).astype(np.intp)
        coloured: Pixels = np.empty((0, 0, 3), np.uint8)
        if rgb:
            light = _unpacked(values, surfaces)
            if self._light.shadows:
                light *= ~shadowed(self._meshes, world, view, buffers.depth, self._light.towards)
            coloured = self._shade(values, surfaces, light, self._surfaces).reshape(view.height, view.width, 3)
        return coloured, self._bodies[surfaces].reshape(view.height, view.width)

    def _finish_over(
        self, background: _Background, buffers: _Buffers, rgb: bool, segmentation: bool
    ) -> tuple[Pixels, NDArray[np.int32]]:
        """Shade only the pixels in which a moving body has come in front of the background."""
        changed = np.flatnonzero(buffers.depth < background.buffers.depth)
        values = buffers.values.reshape(-1, 3)[changed]
        surfaces = np.floor(values[:, 0]).astype(np.intp)
        coloured, numbers = background.coloured, background.numbers
        if segmentation:
            numbers = numbers.copy()
            numbers.reshape(-1)[changed] = self._bodies[surfaces]
        if rgb:
            coloured = coloured.copy()
            light = _unpacked(values, surfaces)
            coloured.reshape(-1, 3)[changed] = self._shade(values, surfaces, light, self._moving)
        return coloured, numbers

    def _shade(self, values: Floats, surfaces: NDArray[np.intp], light: Floats, among: Iterable[_Surface]) -> Pixels:
        colour = np.take(self._colours, surfaces, axis=0)
        for surface in among:
            texture = surface.shape.mesh.texture
            if surface.shape.mesh.places is None or texture is None:
                continue
            mine = np.flatnonzero(surfaces == surface.number)
            if len(mine):
                colour[mine] *= _sampled(texture, values[mine, 1:])
        shade = np.float32(255) * (self._light.ambient + self._light.diffuse * light)
        shade[surfaces < 0] = 255
        colour *= shade[:, None]
        return colour.astype(np.uint8)


class _Surface:
    """Shape with the arrays that are passed to OpenCV."""

    def __init__(self, number: int, shape: Shape) -> None:
        mesh = shape.mesh
        self.number = number
        self.shape = shape
        self._values = np.zeros((len(mesh.corners), 3), np.float32)
        if mesh.places is not None:
            self._values[:, 1:] = mesh.places
        self.arrays = mesh.corners, mesh.faces, self._values
        low, high = mesh.corners.min(axis=0), mesh.corners.max(axis=0)
        middle = (low + high) / 2
        self.sphere = (*middle, 1.0, float(np.linalg.norm(mesh.corners - middle, axis=1).max()))

    def light(self, towards: Vector) -> None:
        """Pack the light from a direction in the mesh's frame: fractions from 1/4 to 3/4, away from rounding."""
        cosine = np.maximum(self.shape.mesh.normals @ towards.astype(np.float32), np.float32(0))
        self._values[:, 0] = self.number + np.float32(0.25) + np.float32(0.5) * cosine


@dataclass(frozen=True, slots=True)
class _Buffers:
    """Targets of OpenCV: surface with light, and texture coordinates, (h, w, 3); depth as OpenGL has it, (h, w)."""

    values: Floats
    depth: Floats

    @classmethod
    def empty(cls, view: View) -> _Buffers:
        size = (view.height, view.width)
        return cls(np.full((*size, 3), -1, np.float32), np.ones(size, np.float32))


@dataclass(frozen=True, slots=True)
class _Background:
    """Images of what never moves, for one view; `work` is scratch memory that every exposure draws over."""

    poses: Vector
    buffers: _Buffers
    work: _Buffers
    coloured: Pixels
    numbers: NDArray[np.int32]

    def restored(self) -> _Buffers:
        """Copy the buffers into the scratch memory; return it, to draw over."""
        np.copyto(self.work.values, self.buffers.values)
        np.copyto(self.work.depth, self.buffers.depth)
        return self.work


def camera_matrix(view: View) -> Vector:
    """Return the rasteriser's transform to OpenGL's camera frame, sheared: the axis meets the stated pixel; (4, 4)."""
    shear = np.eye(4)
    shear[:2, 2] = -OFFSET[0] / view.focal, OFFSET[1] / view.focal
    placed: Vector = shear @ view.opengl()
    return placed


def _unpacked(values: Floats, surfaces: NDArray[np.intp]) -> Floats:
    """Unpack the cosines of the light from the values of pixels, shape (n,)."""
    fraction = values[:, 0] - surfaces.astype(np.float32)
    light: Floats = np.clip(2 * fraction - np.float32(0.5), np.float32(0), np.float32(1))
    return light


def _sampled(texture: Pixels, places: Floats) -> Floats:
    """Return the nearest texel at each texture coordinate, shape (n, 2), as factors of a colour, shape (n, 3)."""
    height, width = texture.shape[:2]
    column = np.floor(places[:, 0] * np.float32(width)).astype(np.intp) % width
    row = np.floor((1 - places[:, 1]) * np.float32(height)).astype(np.intp) % height
    texels: Floats = np.take(texture.reshape(-1, 3), row * width + column, axis=0) / np.float32(255)
    return texels


def _within(spheres: Vector, placed: Vector, view: View) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Test which bounding spheres may be in the image, and which of them reach the near plane."""
    x, y, z = np.einsum("kij,kj->ki", placed[:, :3], spheres[:, :4]).T
    away, radius = -z, spheres[:, 4]
    seen = (away + radius > view.near) & (away - radius < view.far)
    for side, half in ((x, view.width / 2 + 1), (y, view.height / 2 + 1)):
        slope = half / view.focal
        seen &= np.abs(side) <= slope * away + radius * np.hypot(1.0, slope)
    return seen, away - radius < view.near
