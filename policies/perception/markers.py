"""Marker detector: boards and landing pad from above; a network finds corners, templates read the markers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import SECOND, Ports, Time
from embodied.bodies import WORLD
from embodied.geometry import quaternion, rotation
from embodied.messages import Array, CameraInfo, Detections, DroneState, Image, Vector
from embodied.ranges import FINITE, Range, positive
from policies.perception.detector import COLUMNS, HEIGHT, ROWS, WIDTH, read_heads, require_finite
from policies.perception.marker_templates import Templates
from policies.perception.onnx_node import OnnxNode
from policies.perception.pinhole import Pinhole
from policies.perception.pose_buffer import PoseBuffer
from policies.perception.quads import Quad, find_quads

KINDS = ("board", "pad")
"""Kinds of corners, in the order of the network's heatmaps."""

TILT_MOST = math.radians(45.0)
"""Angle of the camera from straight down beyond which it may see the horizon [rad]."""

MARGIN_LEAST = 0.05
"""Least difference in correlation between the best and the second best template."""


class _Marker(NamedTuple):
    label: str
    position: Vector
    yaw: float
    score: float


@dataclass(kw_only=True)
class Markers(OnnxNode):
    """Detect marker boards, each by its number, and the landing pad, with position and yaw, from a camera in flight.

    The network outputs a heatmap of corners of each kind, and per cell the offset to the pixel. All markers lie flat on
    the ground at a known height, so that a corner's ray ends in one place, and four corners, or three, are a board if
    they make a square of its size. The print on that square decides: a board has the number of the best template of
    DICT_4X4_50, a pad its H; a square without a good match is not reported. The pad's H is symmetric under half a turn,
    and the yaw nearest 0 is reported.

    The states of the carrier around the acquisition time give the pose of the camera. Below `lowest` nothing is
    detected.

    Attributes:
        threshold: least score of a corner, in (0, 1).
        likeness: least correlation of a square with its template, in (0, 1).
        board: edge of a board [m].
        pad: edge of the landing pad [m].
        ground: height of the ground in the world's frame [m].
        lowest: least height of the camera above the ground at which a whole board is in view [m].
        lag: delay between the real acquisition of an image and its time stamp, in [0, 0.5] [s].
        carrier: frame of the body that carries the camera.
    """

    inputs: ClassVar[Mapping[str, Array]] = {"image": Array(f"1 {HEIGHT} {WIDTH} 3", "", "uint8")}
    outputs: ClassVar[Mapping[str, Array]] = {
        "peaks": Array(f"1 {len(KINDS)} {ROWS} {COLUMNS}", "", "float32"),
        "geometry": Array(f"1 4 {ROWS} {COLUMNS}", "", "float32"),
    }

    model: Path = Path(__file__).parents[1] / "models" / "markers.onnx"
    threshold: float = 0.1  # low: false corners make no square with a print on it
    likeness: float = 0.6
    board: float = 1.0
    pad: float = 1.2
    ground: float = 0.0
    lowest: float = 1.0
    lag: float = 0.0
    carrier: str = "drone"

    def ports(self) -> Ports:
        """Return the ports, with images of the network's size and detections in the world's frame."""
        ports = super().ports().refine("image", sizes={"h": HEIGHT, "w": WIDTH}).refine("info", frame=self.carrier)
        return ports.refine("state", frame=WORLD).refine("detections", frame=WORLD)

    def check(self) -> Iterable[str]:
        """Check the settings, and that the model fits."""
        yield from Range(0, 1, includes="()").problems(threshold=self.threshold, likeness=self.likeness)
        yield from positive("m").problems(board=self.board, pad=self.pad, lowest=self.lowest)
        yield from FINITE.problems(ground=self.ground)
        yield from Range(0, 0.5, "s").problems(lag=self.lag)
        yield from super().check()

    def open(self) -> None:
        """Load the model and the marker templates."""
        super().open()
        self._kinds = ((Templates.markers(), self.board), (Templates.pad(), self.pad))
        self._poses = PoseBuffer()

    def step(self, image: Image, info: CameraInfo, state: list[DroneState]) -> Detections:
        """Return the detections of one image; none if the pose of the camera is not known.

        Raises:
            ValueError: the image does not have the size that the network takes.
            ResultRejected: the network's outputs are no numbers, or not those of an image.
        """
        if image.data.shape != (HEIGHT, WIDTH, 3):
            raise ValueError(f"images must have {HEIGHT} rows of {WIDTH} pixels, got {image.data.shape[:2]}")
        for known in state:
            self._poses.add(known)
        camera = self._camera(info, image.acquired)
        if camera is None:
            return _detections([], image.acquired)
        heads = self.run(image=image.data[None])
        kinds, _, pixels, _ = read_heads(heads["peaks"][0], heads["geometry"][0], self.threshold)
        ground = camera.at_height(pixels, np.full(len(pixels), self.ground))[:, :2]
        grey = cv2.cvtColor(image.data, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        markers: list[_Marker] = []
        for kind, (templates, edge) in enumerate(self._kinds):
            markers += self._read(templates, find_quads(ground[kinds == kind], edge), camera, grey)
        for marker in markers:
            require_finite(marker.position, np.array([marker.yaw, marker.score]))
        return _detections(markers, image.acquired)

    def _camera(self, info: CameraInfo, acquired: Time) -> Pinhole | None:
        """Return the camera in the world's frame at a time; None if unknown, too low, or if it may see the horizon."""
        pose = self._poses.at(Time(acquired - round(self.lag * SECOND)))
        if pose is None:
            return None
        position = pose.position + pose.rotation @ info.position
        axes = pose.rotation @ rotation(info.orientation)
        if position[2] - self.ground < self.lowest or axes[2, 2] > -math.cos(TILT_MOST):
            return None
        return Pinhole(
            CameraInfo(
                width=info.width,
                height=info.height,
                matrix=info.matrix,
                position=position,
                orientation=quaternion(axes),
                frame=WORLD,
            )
        )

    def _read(
        self, templates: Templates, quads: Iterable[Quad], camera: Pinhole, grey: NDArray[np.uint8]
    ) -> list[_Marker]:
        """Return the quads whose print matches a template; each corner belongs to one of them at most."""
        taken: set[int] = set()
        best: dict[str, _Marker] = {}
        for quad in quads:
            if taken.intersection(quad.corners):
                continue
            places = quad.points(templates.places)
            heights = np.full((len(places), 1), self.ground)
            pixels = camera.project(np.concatenate([places, heights], axis=1)).astype(np.float32)
            patch = cv2.remap(grey, pixels[:, :1], pixels[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            match = templates.match(patch.astype(np.float32))
            if match.score < self.likeness or match.score - match.second < MARGIN_LEAST:
                continue
            taken.update(quad.corners)
            position = np.array([quad.middle.real, quad.middle.imag, self.ground])
            yaw = quad.yaw + match.turns * math.pi / 2
            yaw = math.remainder(yaw, math.pi if match.name == "pad" else math.tau)
            if match.name not in best or best[match.name].score < match.score:
                best[match.name] = _Marker(match.name, position, yaw, match.score)
        return list(best.values())


def _detections(markers: list[_Marker], acquired: Time) -> Detections:
    return Detections(
        labels=tuple(marker.label for marker in markers),
        position=np.array([marker.position for marker in markers]).reshape(-1, 3),
        yaw=np.array([marker.yaw for marker in markers]),
        score=np.array([marker.score for marker in markers]),
        frame=WORLD,
        acquired=acquired,
    )
