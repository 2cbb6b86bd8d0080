"""Protocol of a renderer: built once from models and a light, it renders images from poses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from embodied.messages import Vector
from embodied.world import Rendering
from sims.rendering.view import View

SKY = 235
"""Brightness of pixels without a surface, 0 to 255; their depth is 0 and their number -1."""


@dataclass(frozen=True, slots=True)
class Light:
    """Distant lamp of a renderer: a surface shows its colour x (ambient + diffuse x max(0, cos)); in a shadow, ambient.

    Attributes:
        towards: unit vector to the lamp, in the base frame.
        ambient, diffuse: shares, 0 to 1.
        shadows: whether bodies throw shadows.
    """

    towards: tuple[float, float, float]
    ambient: float = 0.55
    diffuse: float = 0.45
    shadows: bool = False


class Renderer(Protocol):
    """Protocol of a renderer: models at given poses, without a simulator, so that it can run in another process.

    Only `tiny` is the simulator's own and needs one. The same models, poses and view give the same bytes.

    Attributes:
        name: name of the renderer in launch files.
    """

    name: ClassVar[str]

    @classmethod
    def version(cls) -> str:
        """Return the version of the library and the driver that its pixels depend on.

        Raises:
            MissingExtra: what it needs is not installed.
            WorldFailed: it does not work on this machine; the sentence says what is missing.
        """

    def render(self, poses: Vector, view: View, *, rgb: bool, depth: bool, segmentation: bool) -> Rendering:
        """Render one exposure of the models.

        Args:
            poses: poses of the models' frames, shape (k, 4, 4) [m].
            view: pose and lens; for the same object as last time, what never moves is not drawn again.
            rgb: whether colours are requested.
            depth: whether depth is requested.
            segmentation: whether numbers of bodies are requested.
        """
