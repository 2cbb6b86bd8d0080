"""Driver of a simulated camera: colour, depth, segmentation and calibration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver, Ports, Time
from embodied.bodies import CameraBody, camera, check_frame, view_problems
from embodied.errors import EmbodiedError
from embodied.geometry import BASE
from embodied.messages import CameraInfo, Depth, Image, Segmentation
from embodied.world import World
from sims.rendering import AUTO, choose
from sims.rendering.view import FAR, NEAR, problems
from sims.simulated_world import SimulatedWorld


class CameraOutput(NamedTuple):
    """Output of the driver `SimCamera`: images and calibration of one exposure; only what has a subscriber is made."""

    rgb: Image | None
    depth: Depth | None
    segmentation: Segmentation | None
    info: CameraInfo | None


@dataclass
class SimCamera(Driver):
    """Driver of a simulated camera; it renders only when an image has a subscriber.

    `near`, `far`, `renderer` and `shadows` are for the worlds of `sims`; cameras of other worlds have none of them.

    Attributes:
        view: name of the camera in the world.
        width, height: size of the images [px].
        near, far: range along the optical axis outside which nothing is rendered [m].
        renderer: renderer of the images: `opencv`, `egl`, `tiny`, or `auto`, the first of these that works here.
        shadows: whether bodies throw shadows.
        vary: whether exposure, white balance, noise, blur and lens distortion are those of a camera that the seed
            draws; `info` then still states the pinhole, from which a corner of the image is at most 1 px off.
        frame: frame in which its pose is given: the robot's base, or the body that carries it.
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
        """Refine the images by their size, and the calibration by the frame of the pose."""
        ports = super().ports().refine("info", frame=self.frame)
        for port in ("rgb", "depth", "segmentation"):
            ports = ports.refine(port, rendered=True, sizes={"h": self.height, "w": self.width})
        return ports

    def check(self) -> Iterable[str]:
        """Check size, range and renderer."""
        yield from problems(self.width, self.height, self.near, self.far)
        try:
            choose(self.renderer)
        except EmbodiedError as error:
            yield str(error)

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has a camera of this name."""
        return view_problems(world, self.view)

    def open(self, world: World) -> None:
        """Find the camera in the world.

        Raises:
            WorldFailed: the world has no such camera, or gives its pose in another frame; or its images cannot be
                rendered so.
        """
        self._camera = self._camera_of(world)
        if self.vary:
            self._camera.vary(self.rng)

    def _camera_of(self, world: World) -> CameraBody:
        if not isinstance(world, SimulatedWorld):
            return camera(world, self.view, width=self.width, height=self.height, frame=self.frame)
        body = world.camera(
            self.view,
            width=self.width,
            height=self.height,
            near=self.near,
            far=self.far,
            renderer=self.renderer,
            shadows=self.shadows,
        )
        check_frame(body, self.view, self.frame)
        return body

    def step(self, now: Time) -> CameraOutput:
        """Expose once, and render what has a subscriber."""
        wanted = {name: name in self.listened for name in ("rgb", "depth", "segmentation")}
        info = self._camera.info() if "info" in self.listened else None
        if not any(wanted.values()):
            return CameraOutput(None, None, None, info)
        images = self._camera.render(**wanted)
        return CameraOutput(
            None if images.rgb is None else Image(data=images.rgb, acquired=now),
            None if images.depth is None else Depth(data=images.depth, acquired=now),
            None if images.segmentation is None else Segmentation(data=images.segmentation, acquired=now),
            info,
        )
