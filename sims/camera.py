"""A camera in the simulated world, as a node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver, Ports, Time
from embodied.errors import EmbodiedError, WorldFailed, nearest
from embodied.geometry import BASE
from embodied.messages import CameraInfo, Depth, Image, Segmentation
from embodied.world import World
from sims.airfield import world as airfield
from sims.rendering import AUTO, choose
from sims.rendering.cameras import filmed
from sims.rendering.view import FAR, NEAR, problems
from sims.road import world as road
from sims.tabletop import world as tabletop

VIEWS = tuple(dict.fromkeys((*tabletop.CAMERAS, *airfield.CAMERAS, *road.CAMERAS)))


class Frame(NamedTuple):
    """What one exposure gives; only what someone takes is made."""

    rgb: Image | None
    depth: Depth | None
    segmentation: Segmentation | None
    info: CameraInfo | None


@dataclass
class SimCamera(Driver):
    """A camera of the world; it renders only when someone takes its pictures.

    Attributes:
        view: which camera of the world.
        width, height: size of its images [px].
        near, far: what is nearer or farther along the optical axis is not seen [m].
        renderer: what draws its images: `opencv`, `egl`, `tiny`, or `auto`, the first of these
            that works here.
        shadows: whether things throw them.
        vary: whether exposure, white balance, noise, blur and lens distortion are those of a camera that the seed
            draws; `info` then still states the pinhole, from which a corner of the image is at most 1 px off.
        frame: in which its pose is told: the robot's base, or the body that carries it.
    """

    view: str = "overhead"
    width: int = 320
    height: int = 240
    near: float = NEAR
    far: float = FAR
    renderer: str = AUTO
    shadows: bool = False
    vary: bool = False
    frame: str = BASE

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Images of its size, and the frame of its pose."""
        ports = super().ports().refine("info", frame=self.frame)
        for port in ("rgb", "depth", "segmentation"):
            ports = ports.refine(port, rendered=True, sizes={"h": self.height, "w": self.width})
        return ports

    def check(self) -> Iterable[str]:
        """Problems with the view, the size, the range or the renderer."""
        if self.view not in VIEWS:
            yield f"no world has the view '{self.view}'; {', '.join(nearest(self.view, VIEWS))}"
        yield from problems(self.width, self.height, self.near, self.far)
        try:
            choose(self.renderer)
        except EmbodiedError as error:
            yield str(error)

    def open(self, world: World) -> None:
        """Find the camera in the world.

        Raises:
            WorldFailed: it has no such camera, the camera cannot be so, or its pose is told in another frame.
        """
        self._camera = filmed(world, type(self).__name__).camera(
            self.view,
            width=self.width,
            height=self.height,
            near=self.near,
            far=self.far,
            renderer=self.renderer,
            shadows=self.shadows,
        )
        frame = self._camera.info().frame
        if frame != self.frame:
            raise WorldFailed(f"the camera '{self.view}' is given in the frame '{frame}': write 'frame: {frame}'")
        if self.vary:
            self._camera.vary(self.rng)

    def step(self, now: Time) -> Frame:
        """One exposure."""
        wanted = {name: name in self.listened for name in ("rgb", "depth", "segmentation")}
        info = self._camera.info() if "info" in self.listened else None
        if not any(wanted.values()):
            return Frame(None, None, None, info)
        seen = self._camera.render(**wanted)
        return Frame(
            None if seen.rgb is None else Image(data=seen.rgb, acquired=now),
            None if seen.depth is None else Depth(data=seen.depth, acquired=now),
            None if seen.segmentation is None else Segmentation(data=seen.segmentation, acquired=now),
            info,
        )
