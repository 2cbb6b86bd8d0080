"""What every renderer is: built once from models, then pictures from poses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from embodied.messages import Vector
from embodied.world import Rendering
from sims.rendering.view import View

SKY = 235
"""Brightness of pixels that see nothing, 0 to 255; their depth is 0 and their number -1."""


@dataclass(frozen=True, slots=True)
class Light:
    """One distant lamp: a surface shows its colour x (ambient + diffuse x max(0, cos)), and only ambient in a shadow.

    Attributes:
        towards: unit vector to the lamp, in the base frame.
        ambient, diffuse: shares, 0 to 1.
        shadows: whether things throw them.
    """

    towards: tuple[float, float, float]
    ambient: float = 0.55
    diffuse: float = 0.45
    shadows: bool = False


class Renderer(Protocol):
    """Draws models.

    It is made of models and a light and then told poses, and asks no simulator (but for `tiny`, which is the
    simulator's own), so that it can run in another process. The same models, poses and view give the same bytes.

    Attributes:
        name: as a launch file says it.
    """

    name: ClassVar[str]

    @classmethod
    def version(cls) -> str:
        """What its pixels depend on.

        Raises:
            MissingExtra: what it needs is not installed.
            WorldFailed: it does not work on this machine; the sentence says what is missing.
        """

    def render(self, poses: Vector, view: View, *, rgb: bool, depth: bool, segmentation: bool) -> Rendering:
        """One picture.

        Args:
            poses: a snapshot of the models' frames, shape (k, 4, 4) [m].
            view: from where; for the same object as last time, what never moves is not drawn again.
            rgb: whether colours are wanted.
            depth: whether depth is.
            segmentation: whether numbers of bodies are.
        """
