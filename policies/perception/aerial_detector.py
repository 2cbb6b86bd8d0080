"""Blocks seen from a multirotor, over a place where they lie level with z = 0 of the world's frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from embodied import Ports, Time
from embodied.bodies import WORLD
from embodied.geometry import quaternion, rotation
from embodied.messages import CameraInfo, Detections, DroneState, Image
from policies.perception.detector import HEIGHT, WIDTH, Blocks
from policies.perception.pose_buffer import Whereabouts


@dataclass(kw_only=True)
class Spotter(Blocks):
    """Detect coloured blocks from the camera under a multirotor, with their positions and yaw in the world's frame.

    It is the network that sees a table from above, so that a block must be about as many pixels wide as there: a camera
    of 40° that hangs 1 m over it. Where the camera was when the picture was taken, the states of its carrier tell.
    Paint may have a block's colour, so that only what is sure, and lies where it is looked for, is told.

    Attributes:
        low, high: corners of where it is looked for, x and y in the world's frame [m].
        carrier: frame of the body that carries the camera.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    carrier: str = "drone"
    threshold: float = 0.7

    def ports(self) -> Ports:
        """Images are of the size the network takes; the camera hangs on its carrier."""
        ports = super().ports().refine("image", sizes={"h": HEIGHT, "w": WIDTH}).refine("info", frame=self.carrier)
        return ports.refine("state", frame=WORLD).refine("detections", frame=WORLD)

    def check(self) -> Iterable[str]:
        """Whether the model fits, and there is somewhere to look."""
        if not all(low < high for low, high in zip(self.low, self.high, strict=True)):
            yield f"there is nothing between low = {self.low} and high = {self.high} m"
        yield from super().check()

    def open(self) -> None:
        """Load the model; nobody has said yet where the camera is."""
        super().open()
        self._whereabouts = Whereabouts()

    def step(self, image: Image, info: CameraInfo, state: list[DroneState]) -> Detections:
        """What is seen in one image; nothing while it is not known where the camera was.

        Raises:
            ValueError: the image is not of the size the network takes.
        """
        for known in state:
            self._whereabouts.add(known)
        placed = self._placed(info, image.acquired)
        if placed is None:
            return Detections(
                labels=(),
                position=np.zeros((0, 3)),
                yaw=np.zeros(0),
                score=np.zeros(0),
                frame=WORLD,
                acquired=image.acquired,
            )
        seen = self.see(image, None, placed)
        inside = np.all((self.low < seen.position[:, :2]) & (seen.position[:, :2] < self.high), axis=1)
        return replace(
            seen,
            labels=tuple(label for label, kept in zip(seen.labels, inside.tolist(), strict=True) if kept),
            position=seen.position[inside],
            yaw=seen.yaw[inside],
            score=seen.score[inside],
        )

    def _placed(self, info: CameraInfo, acquired: Time) -> CameraInfo | None:
        """The camera in the world's frame when the picture was taken; None: not known, or it sees the horizon."""
        place = self._whereabouts.at(acquired)
        if place is None:
            return None
        axes = place.rotation @ rotation(info.orientation)
        if axes[2, 2] > -0.8:
            return None
        position = place.position + place.rotation @ info.position
        return replace(info, position=position, orientation=quaternion(axes), frame=WORLD)
