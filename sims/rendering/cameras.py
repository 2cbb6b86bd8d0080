"""The cameras of a world: what they look at, from where, and through which renderer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np

from embodied.messages import CameraInfo, Vector
from embodied.world import Rendering
from sims.bullet import Bullet
from sims.rendering import Egl, Light, Rasteriser, Renderer, Tiny, choose
from sims.rendering.lens import Lens
from sims.rendering.mesh import Mesh
from sims.rendering.models import Key, Models
from sims.rendering.view import View


class Stage:
    """What all cameras of one run share: the models, read once when the first camera asks for them.

    Args:
        bullet: the simulator.
        given: meshes that PyBullet does not tell, as `Models.read` takes them.

    Attributes:
        renderers: names of those that draw.
    """

    def __init__(self, bullet: Bullet, given: Mapping[Key, Mesh]) -> None:
        self._bullet = bullet
        self._given = given
        self._models: Models | None = None
        self.renderers: set[str] = set()

    @property
    def models(self) -> Models:
        """What there is to draw.

        Raises:
            WorldFailed: a mesh or a texture cannot be read.
        """
        if self._models is None:
            self._models = Models.read(self._bullet, self._given)
        return self._models

    def poses(self) -> Vector:
        """Where everything is now, as `Renderer.render` takes it."""
        return self.models.snapshot(self._bullet)

    def renderer(self, name: str, light: Light) -> Renderer:
        """A renderer for one camera.

        Raises:
            WorldFailed: there is none of that name, or it does not work here.
        """
        name, _ = choose(name)
        made: Renderer
        if name == Tiny.name:
            textures = {key: mesh.texture for key, mesh in self._given.items() if mesh.texture is not None}
            made = Tiny(self._bullet, textures, light)
        elif name == Egl.name:
            made = Egl(self.models, light)
        else:
            made = Rasteriser(self.models, light)
        self.renderers.add(name)
        return made


class Camera:
    """A camera in a simulated world.

    Args:
        stage: what it looks at.
        renderer: what draws it.
        view: its place and lens now; the same object as long as it stands still.
        brightness: its exposure.
        mount: its place in what carries it, where that is all that is known of it; `info` then tells this.
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
        """True intrinsics and pose; of a camera whose carrier only estimates where it is, the pose in its carrier."""
        return (self._view() if self._mount is None else self._mount).info()

    def vary(self, rng: np.random.Generator) -> None:
        """From now on, spoil pictures as a camera would that `rng` draws: see `Imperfections`."""
        view = self._view()
        self._lens = Lens(rng, view.width, view.height)

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        """What it sees now; rendering never changes the world."""
        poses = self._stage.poses()
        seen = self._renderer.render(poses, self._view(), rgb=rgb, depth=depth, segmentation=segmentation)
        exposed = None if seen.rgb is None else cv2.LUT(seen.rgb, self._exposure).astype(np.uint8, copy=False)
        seen = Rendering(exposed, seen.depth, seen.segmentation)
        return seen if self._lens is None else self._lens.spoil(seen)


def wrist(width: int, height: int, near: float, far: float) -> View:
    """The lens of the camera at the wrist, 60 degrees high; where it is, the arm says."""
    focal = height / 2 / math.tan(math.radians(30.0))
    return View(np.zeros(3), np.eye(3), width, height, focal, near, far)


def mounted(optical: Vector, lens: View) -> View:
    """A lens where its optical frame is now, shape (4, 4) [m]."""
    return replace(lens, position=optical[:3, 3], rotation=optical[:3, :3])
