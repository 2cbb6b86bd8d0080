"""Messages of vision: images, depth, camera parameters, detections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from embodied.clock import Time
from embodied.messages.schema import Array, Message, Unit, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Message):
    """An RGB image, row by row from the top left."""

    data: Annotated[NDArray[np.uint8], Array("h w 3", "", "uint8")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth(Message):
    """Distance along the optical axis for each pixel; 0 where nothing was measured."""

    data: Annotated[NDArray[np.float32], Array("h w", "m", "float32")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation(Message):
    """Number of the body at each pixel, -1 where there is none."""

    data: Annotated[NDArray[np.int32], Array("h w", "", "int32")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInfo(Message):
    """Parameters of the camera of an image: pinhole intrinsics, and its pose.

    Attributes:
        width: of the image [px].
        height: of the image [px].
        matrix: intrinsics ((fx, 0, cx), (0, fy, cy), (0, 0, 1)); pixel centres lie at whole numbers [px].
        position: of the optical frame in `frame`.
        orientation: of the optical frame (x right, y down, z into the scene, REP-103 suffix `_optical`) in `frame`,
            quaternion (x, y, z, w).
        frame: of the pose; the robot's base.
    """

    width: Annotated[int, Unit("px")]
    height: Annotated[int, Unit("px")]
    matrix: Annotated[Vector, Array("3 3", "px")]
    position: Annotated[Vector, Array("3", "m")]
    orientation: Annotated[Vector, Array("4")]
    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections(Message):
    """Detected objects; an empty list means that there are none.

    Attributes:
        labels: class of each object.
        position: centre of each object [m].
        yaw: turn of each object about the vertical axis; of equivalent turns the one nearest 0 [rad].
        score: confidence of each, 0 to 1.
        frame: of position and yaw; the robot's base.
        acquired: time of the image, copied through.
    """

    labels: tuple[str, ...]
    position: Annotated[Vector, Array("k 3", "m")]
    yaw: Annotated[Vector, Array("k", "rad")]
    score: Annotated[Vector, Array("k")]
    frame: str
    acquired: Annotated[Time, Unit("ns")]
