"""Renderer `tiny`: PyBullet's own TinyRenderer, slow, in the simulator's process, the oracle of the others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from embodied.messages import Vector
from embodied.world import Rendering
from sims.bullet import Bullet, version
from sims.rendering.mesh import Pixels
from sims.rendering.models import Key
from sims.rendering.renderer import SKY, Light
from sims.rendering.view import View


class Tiny:
    """Renderer `tiny` of the bodies of a simulator as they are now.

    Args:
        bullet: the simulator.
        textures: textures that PyBullet did not load itself, by body and link.
        light: light of the images.
    """

    name: ClassVar[str] = "tiny"

    def __init__(self, bullet: Bullet, textures: Mapping[Key, Pixels], light: Light) -> None:
        self._bullet = bullet
        self._light = light
        with tempfile.TemporaryDirectory(prefix="embodied-texture-") as folder:
            for (body, link), texture in textures.items():
                path = Path(folder, f"{body}-{link}.png")
                path.write_bytes(cv2.imencode(".png", texture[..., ::-1])[1].tobytes())
                bullet.changeVisualShape(body, link, textureUniqueId=bullet.loadTexture(str(path)))

    @classmethod
    def version(cls) -> str:
        """Return the version of PyBullet.

        Raises:
            NoSimulator: it is not installed.
        """
        return version()

    def render(self, poses: Vector, view: View, *, rgb: bool, depth: bool, segmentation: bool) -> Rendering:
        """Render one exposure as `Renderer.render` does, of the simulator's own poses."""
        del poses
        bullet = self._bullet
        _, _, colours, buffer, numbers = bullet.getCameraImage(
            view.width,
            view.height,
            view.opengl().T.ravel().tolist(),
            view.projection().T.ravel().tolist(),
            lightDirection=self._light.towards,
            lightColor=(1.0, 1.0, 1.0),
            lightAmbientCoeff=self._light.ambient,
            lightDiffuseCoeff=self._light.diffuse,
            lightSpecularCoeff=0.0,
            shadow=int(self._light.shadows),
            renderer=bullet.ER_TINY_RENDERER,
        )
        shape = (view.height, view.width)
        numbers = np.reshape(numbers, shape).astype(np.int32, copy=False)
        away = view.metres(np.reshape(buffer, shape).astype(np.float32, copy=False))
        empty = (numbers < 0) | (away <= 0.0) | (away > view.far)
        seen = np.reshape(colours, (*shape, 4))[..., :3].astype(np.uint8, copy=False)
        return Rendering(
            np.where(empty[..., None], np.uint8(SKY), seen) if rgb else None,
            np.where(empty, np.float32(0.0), away) if depth else None,
            np.where(empty, np.int32(-1), numbers) if segmentation else None,
        )
