"""Aerial block detector: blocks on the ground under a multirotor's camera, at z = 0 of the world's frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from embodied import Ports, Time
from embodied.bodies import WORLD
from embodied.geometry import quaternion, rotation
from embodied.messages import CameraInfo, Detections, DroneState, Image
from policies.perception.detector import HEIGHT, WIDTH, BlockDetector
from policies.perception.pose_buffer import PoseBuffer

DOWNWARD_LEAST = 0.8
"""Least cosine of the camera's angle from straight down; a camera that is tilted more may see the horizon."""


@dataclass(kw_only=True)
class Spotter(BlockDetector):
    """Detect coloured blocks from the camera under a multirotor, with their positions and yaw in the world's frame.

    The network is the one that sees a table from above, so a block must be about as many pixels wide as there: a camera
    of 40° that hangs 1 m over it. The states of the carrier give the camera's pose when the image was acquired. Ground
    markings may have a block's colour: only detections that are certain and in the search area are reported.

    Attributes:
        low, high: corners of the search area, x and y in the world's frame [m].
        carrier: frame of the body that carries the camera.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    carrier: str = "drone"
    threshold: float = 0.7

    def ports(self) -> Ports:
        """Return the ports, with images of the network's size and the camera mounted on its carrier."""
        ports = super().ports().refine("image", sizes={"h": HEIGHT, "w": WIDTH}).refine("info", frame=self.carrier)
        return ports.refine("state", frame=WORLD).refine("detections", frame=WORLD)

    def check(self) -> Iterable[str]:
        """Check that the search area is not empty, and that the model fits."""
        if not all(low < high for low, high in zip(self.low, self.high, strict=True)):
            yield f"low must be below high on each axis, got {self.low} and {self.high} m"
        yield from super().check()

    def open(self) -> None:
        """Load the model, with an empty pose buffer."""
        super().open()
        self._poses = PoseBuffer()

    def step(self, image: Image, info: CameraInfo, state: list[DroneState]) -> Detections:
        """Return the detections of one image; none if the pose of the camera is not known.

        Raises:
            ValueError: the image does not have the size that the network takes.
            ResultRejected: the network's outputs are no numbers, or not those of an image.
        """
        for known in state:
            self._poses.add(known)
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
        seen = self.detect(image, None, placed)
        inside = np.all((self.low < seen.position[:, :2]) & (seen.position[:, :2] < self.high), axis=1)
        return replace(
            seen,
            labels=tuple(label for label, kept in zip(seen.labels, inside.tolist(), strict=True) if kept),
            position=seen.position[inside],
            yaw=seen.yaw[inside],
            score=seen.score[inside],
        )

    def _placed(self, info: CameraInfo, acquired: Time) -> CameraInfo | None:
        """Return the camera in the world's frame at a time; None if not known, or if it may see the horizon."""
        pose = self._poses.at(acquired)
        if pose is None:
            return None
        axes = pose.rotation @ rotation(info.orientation)
        if axes[2, 2] > -DOWNWARD_LEAST:
            return None
        position = pose.position + pose.rotation @ info.position
        return replace(info, position=position, orientation=quaternion(axes), frame=WORLD)
