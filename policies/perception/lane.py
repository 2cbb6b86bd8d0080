"""A lane seen by a vehicle's camera: a small network says where the vehicle is in it, and what lies ahead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.geometry import rotation, transform
from embodied.messages import Array, CameraInfo, Image, Lane, Vector
from embodied.node.ports import Ports
from policies.perception.onnx_node import OnnxNode

CAR = "car"
"""The frame in which the camera's pose is told: forward, left, up of the ground midway between the rear wheels."""

HEIGHT, WIDTH = 112, 160  # [px]
MATRIX = np.array([(80.0, 0.0, 79.5), (0.0, 80.0, 51.5), (0.0, 0.0, 1.0)])  # [px]
TURN = transform((0.0, 0.0, 0.0), (-math.pi / 2 - math.radians(30.0), 0.0, -math.pi / 2))[:3, :3]
"""The view that the network was trained in: its size, its intrinsics, and its optical frame in the car's."""

PLACE = np.array([0.66, 0.0, 0.50])
ASTRAY = 0.03
"""Where in the car the camera was [m]; no turn of a picture makes up for a place that is further off than this."""

VALUES = ("offset", "heading", "curvature", "obstacle", "stop_line")
SCALES = np.array([0.1, 0.1, 0.1, 0.25, 0.25], np.float32)
"""What the network gives is multiples of these: [m], [rad], [1/m], and of the logarithm of a way over `NEAR`."""

NEAR = 2.0  # [m]


@dataclass(kw_only=True)
class LaneDetector(OnnxNode):
    """See the lane that a vehicle is in: offset, heading and curvature, an obstacle and a stop line ahead.

    The picture is turned into the view that the network was trained in, so that size, focal length and tilt of the
    camera may be others; where in the car it is may not. What is given is as the network sees it in this one picture:
    nothing is remembered from the last.

    Attributes:
        threshold: least score at which something is in the lane, or a stop line is seen, 0 to 1.
    """

    inputs: ClassVar[Mapping[str, Array]] = {"image": Array(f"1 {HEIGHT} {WIDTH} 3", "", "uint8")}
    outputs: ClassVar[Mapping[str, Array]] = {
        "values": Array(f"1 {len(VALUES)}", "", "float32"),
        "scores": Array("1 3", "", "float32"),
    }

    model: Path = Path(__file__).parents[1] / "models" / "lane.onnx"
    threshold: float = 0.5

    def ports(self) -> Ports:
        """The pose of the camera is told in the car."""
        return super().ports().refine("info", frame=CAR)

    def check(self) -> Iterable[str]:
        """Whether the model fits, and the threshold is possible."""
        if not 0.0 < self.threshold < 1.0:
            yield f"threshold is {self.threshold}; a score lies between 0 and 1"
        yield from super().check()

    def step(self, image: Image, info: CameraInfo) -> Lane:
        """What is seen in one image.

        Raises:
            ValueError: the camera is elsewhere in the car than the one that the network was trained with.
        """
        found = self.run(image=turned(image.data, info)[None])
        values = (found["values"][0] * SCALES).tolist()
        lane, obstacle, line = found["scores"][0].tolist()
        return Lane(
            offset=values[0],
            heading=values[1],
            curvature=values[2],
            obstacle=NEAR * math.exp(values[3]) if obstacle >= self.threshold else None,
            stop_line=NEAR * math.exp(values[4]) if line >= self.threshold else None,
            score=lane,
            acquired=image.acquired,
        )


def turned(image: NDArray[np.uint8], info: CameraInfo) -> NDArray[np.uint8]:
    """A picture as the view of the network would have it, shape (HEIGHT, WIDTH, 3).

    Args:
        image: shape (h, w, 3).
        info: of its camera, in the car's frame.

    Raises:
        ValueError: the camera is elsewhere in the car.
    """
    if float(np.linalg.norm(info.position - PLACE)) > ASTRAY:
        raise ValueError(
            f"the camera is at {np.round(info.position, 2).tolist()} m in the car, and the model was trained at "
            f"{PLACE.tolist()}: mount it there, or train the model again"
        )
    to_source: Vector = info.matrix @ rotation(info.orientation).T @ TURN @ np.linalg.inv(MATRIX)
    # A larger picture is smoothed first: what is left out between its pixels would flicker.
    if info.matrix[0, 0] > 1.5 * MATRIX[0, 0]:
        image = cv2.GaussianBlur(image, (3, 3), 0.0).astype(np.uint8, copy=False)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(image, to_source, (WIDTH, HEIGHT), flags=way, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(seen, dtype=np.uint8)
