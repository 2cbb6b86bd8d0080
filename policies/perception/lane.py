"""Lane perception: a small network estimates the vehicle's pose in its lane, and obstacle and stop line ahead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.errors import ResultRejected
from embodied.geometry import rotation, transform
from embodied.messages import Array, CameraInfo, Image, Lane, Vector
from embodied.node.ports import Ports
from embodied.ranges import Range
from policies.perception.onnx_node import OnnxNode

CAR = "car"
"""Frame of the camera's pose: forward, left, up from the ground midway between the rear wheels."""

HEIGHT = 112
"""Height of the network's input [px]."""

WIDTH = 160
"""Width of the network's input [px]."""

MATRIX = np.array([(80.0, 0.0, 79.5), (0.0, 80.0, 51.5), (0.0, 0.0, 1.0)])
"""Intrinsic matrix of the camera with which the network was trained [px]."""

TURN = transform((0.0, 0.0, 0.0), (-math.pi / 2 - math.radians(30.0), 0.0, -math.pi / 2))[:3, :3]
"""Rotation of that camera's optical frame in the car's frame."""

MOUNT = np.array([0.66, 0.0, 0.50])
"""Position of that camera in the car's frame [m]."""

MOUNT_ERROR_MOST = 0.03
"""Distance from `MOUNT` up to which rotating an image makes up for another mount [m]."""

VALUES = ("offset", "heading", "curvature", "obstacle", "stop_line")
"""Values of the network, in the order of its output."""

SCALES = np.array([0.1, 0.1, 0.1, 0.25, 0.25], np.float32)
"""Units of those values: [m], [rad], [1/m], and of the logarithm of a distance over `NEAR`."""

NEAR = 2.0
"""Distance whose logarithm is 0 in the network's output [m]."""

VALUE_MOST = 10.0
"""Largest value of the network that a road can have, either way: no offset, bend or distance is as large."""


@dataclass(kw_only=True)
class LaneDetector(OnnxNode):
    """Detect the vehicle's lane: offset, heading and curvature, an obstacle and a stop line ahead.

    The image is warped into the view that the network was trained with, so size, focal length and tilt of the camera
    may differ; its position in the car may not. The output is that of this one image: nothing is filtered over time.

    Attributes:
        threshold: least score of an obstacle and of a stop line, in (0, 1).
    """

    inputs: ClassVar[Mapping[str, Array]] = {"image": Array(f"1 {HEIGHT} {WIDTH} 3", "", "uint8")}
    outputs: ClassVar[Mapping[str, Array]] = {
        "values": Array(f"1 {len(VALUES)}", "", "float32"),
        "scores": Array("1 3", "", "float32"),
    }

    model: Path = Path(__file__).parents[1] / "models" / "lane.onnx"
    threshold: float = 0.5

    def ports(self) -> Ports:
        """Return the ports, with the pose of the camera in the car's frame."""
        return super().ports().refine("info", frame=CAR)

    def check(self) -> Iterable[str]:
        """Check the threshold, and that the model fits."""
        yield from Range(0, 1, includes="()").problems(threshold=self.threshold)
        yield from super().check()

    def step(self, image: Image, info: CameraInfo) -> Lane:
        """Return the lane in one image.

        Raises:
            ValueError: the camera is mounted elsewhere than the one with which the network was trained.
            ResultRejected: the network's outputs are no numbers, or not those of a road.
        """
        outputs = self.run(image=warped(image.data, info)[None])
        values = (outputs["values"][0] * SCALES).tolist()
        if max(map(abs, values)) > VALUE_MOST:
            raise ResultRejected(f"output 'values' must be at most {VALUE_MOST:g} either way, got {values}")
        lane, obstacle, line = outputs["scores"][0].tolist()
        return Lane(
            offset=values[0],
            heading=values[1],
            curvature=values[2],
            obstacle=NEAR * math.exp(values[3]) if obstacle >= self.threshold else None,
            stop_line=NEAR * math.exp(values[4]) if line >= self.threshold else None,
            score=lane,
            acquired=image.acquired,
        )


def warped(image: NDArray[np.uint8], info: CameraInfo) -> NDArray[np.uint8]:
    """Warp an image into the view that the lane network was trained with, shape (HEIGHT, WIDTH, 3).

    Args:
        image: image of the camera, shape (h, w, 3).
        info: intrinsics of the camera, and its pose in the car's frame.

    Raises:
        ValueError: the camera is mounted elsewhere.
    """
    if float(np.linalg.norm(info.position - MOUNT)) > MOUNT_ERROR_MOST:
        raise ValueError(
            f"the camera must be within {MOUNT_ERROR_MOST} m of {MOUNT.tolist()} m in the car, got "
            f"{np.round(info.position, 2).tolist()}: mount it there, or train the model again"
        )
    to_source: Vector = info.matrix @ rotation(info.orientation).T @ TURN @ np.linalg.inv(MATRIX)
    # A larger image is smoothed first, against aliasing.
    if info.matrix[0, 0] > 1.5 * MATRIX[0, 0]:
        image = cv2.GaussianBlur(image, (3, 3), 0.0).astype(np.uint8, copy=False)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpPerspective(image, to_source, (WIDTH, HEIGHT), flags=way, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(view, dtype=np.uint8)
