"""Cameras of a simulated world: models to render, view, renderer and exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from embodied.errors import WorldFailed
from embodied.messages import CameraInfo, Vector
from embodied.world import Rendering
from sims.bullet import Bullet
from sims.rendering import AUTO, Egl, Light, Rasteriser, Renderer, Tiny, choose
from sims.rendering.lens import Lens
from sims.rendering.mesh import Mesh
from sims.rendering.models import Key, Models
from sims.rendering.view import View


class Stage:
    """Models to render that all cameras of one run share, read once when the first camera renders.

    Args:
        bullet: the simulator.
        meshes: meshes that PyBullet does not report, as `Models.read` takes them.

    Attributes:
        renderers: names of the renderers in use.
    """

    def __init__(self, bullet: Bullet, meshes: Mapping[Key, Mesh]) -> None:
        self._bullet = bullet
        self._meshes = meshes
        self._models: Models | None = None
        self.renderers: set[str] = set()

    @property
    def models(self) -> Models:
        """Models of all bodies of the run.

        Raises:
            WorldFailed: a mesh or a texture cannot be read.
        """
        if self._models is None:
            self._models = Models.read(self._bullet, self._meshes)
        return self._models

    def poses(self) -> Vector:
        """Return the poses of all bodies, as `Renderer.render` takes them."""
        return self.models.snapshot(self._bullet)

    def renderer(self, name: str, light: Light) -> Renderer:
        """Build a renderer for one camera.

        Args:
            name: name of the renderer, or `auto`, which is the first that can draw this world.
            light: light of the camera's images.

        Raises:
            WorldFailed: there is none of that name, or it does not work here.
        """
        wanted, (name, _) = name, choose(name)
        if wanted == AUTO and name != Tiny.name:
            try:
                _ = self.models
            except WorldFailed:
                # A mesh that our own renderers cannot read, and PyBullet's may: it has read it for the physics.
                name = Tiny.name
        built: Renderer
        if name == Tiny.name:
            textures = {key: mesh.texture for key, mesh in self._meshes.items() if mesh.texture is not None}
            built = Tiny(self._bullet, textures, light)
        elif name == Egl.name:
            built = Egl(self.models, light)
        else:
            built = Rasteriser(self.models, light)
        self.renderers.add(name)
        return built


class Camera:
    """Camera in a simulated world, with its view, renderer and exposure.

    Args:
        stage: models to render.
        renderer: renderer of its images.
        view: reads its pose and lens now; the same object as long as it does not move.
        brightness: exposure, as a factor.
        mount: pose in the body that carries it, where only that is calibrated; `info` then returns it.
    """

    def __init__(
        self,
        stage: Stage,
        renderer: Renderer,
        view: Callable[[], View],
        brightness: float = 1.0,
        mount: View | None = None,
    ) -> None:
        self._mount = mount
        self._stage = stage
        self._renderer = renderer
        self._view = view
        self._lens: Lens | None = None
        # Applied by table, one look-up per byte.
        self._exposure = np.minimum(np.arange(256) * brightness, 255.0).astype(np.uint8)

    def info(self) -> CameraInfo:
        """Return true intrinsics and pose; for a camera on a body that moves, the pose in the body's frame."""
        return (self._view() if self._mount is None else self._mount).info()

    def vary(self, rng: np.random.Generator) -> None:
        """Draw the flaws of a real lens and sensor for all images from now on; see `Imperfections`."""
        view = self._view()
        self._lens = Lens(rng, view.width, view.height)

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        """Render the requested images now; rendering never changes the world."""
        poses = self._stage.poses()
        seen = self._renderer.render(poses, self._view(), rgb=rgb, depth=depth, segmentation=segmentation)
        exposed = None if seen.rgb is None else cv2.LUT(seen.rgb, self._exposure).astype(np.uint8, copy=False)
        seen = Rendering(exposed, seen.depth, seen.segmentation)
        return seen if self._lens is None else self._lens.apply(seen)
