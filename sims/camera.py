"""A camera in the simulated world, as a node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver, Ports, Time
from embodied.errors import nearest
from embodied.messages import CameraInfo, Depth, Image, Segmentation
from embodied.robot import BASE
from embodied.world import World
from sims.tabletop import CAMERAS


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
    """

    view: str = "overhead"
    width: int = 320
    height: int = 240

    rate = 10.0  # [Hz]

    def ports(self) -> Ports:
        """Images of its size, in the robot's base frame."""
        ports = super().ports().refine("info", frame=BASE)
        for port in ("rgb", "depth", "segmentation"):
            ports = ports.refine(port, rendered=True, sizes={"h": self.height, "w": self.width})
        return ports

    def check(self) -> Iterable[str]:
        """Problems with the view or the size."""
        if self.view not in CAMERAS:
            yield f"there is no view '{self.view}' at the table; {', '.join(nearest(self.view, CAMERAS))}"
        for name, size in (("width", self.width), ("height", self.height)):
            if not 16 <= size <= 4096:
                yield f"{name} is {size} px, and an image has 16 to 4096"

    def open(self, world: World) -> None:
        """Find the camera in the world."""
        self._camera = world.camera(self.view, width=self.width, height=self.height)

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
