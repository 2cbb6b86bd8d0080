"""Marker boards and a landing pad seen from above: a network finds their corners, the ground says where they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import SECOND, Ports, Time
from embodied.bodies import WORLD
from embodied.geometry import quaternion, rotation
from embodied.messages import Array, CameraInfo, Detections, DroneState, Image, Vector
from policies.perception.detector import COLUMNS, HEIGHT, ROWS, WIDTH, read_heads
from policies.perception.marker_templates import Prints
from policies.perception.onnx_node import OnnxNode
from policies.perception.pinhole import Pinhole
from policies.perception.pose_buffer import Whereabouts
from policies.perception.quads import Square, squares

KINDS = ("board", "pad")
"""Whose corners the network tells apart, in the order of its heatmaps."""

TILTED = math.radians(45.0)  # a camera that looks so far from straight down may see the horizon
APART = 0.05  # by so much a board must be more like its number than like any other


@dataclass(kw_only=True)
class Markers(OnnxNode):
    """Detect marker boards, each by its number, and the landing pad, with position and yaw, from a camera in flight.

    The network gives a heatmap of corners of each kind, and for each cell the way to the pixel. Everything lies flat on
    the ground at a known height, so that a corner's ray ends in one place, and four corners, or three, are a board if
    they make a square of its size. What is then seen on that square decides: a board has the number of the marker of
    DICT_4X4_50 that it is most like, a pad its H; a square that is like none is not reported. The pad's H is the same
    after half a turn, and the yaw nearest 0 is given.

    Where the camera was is not told with the picture, but by the body that carries it: the states around the moment the
    picture was taken. Below `lowest` nothing is looked for.

    Attributes:
        threshold: least score of a corner, 0 to 1.
        likeness: least correlation of a square with what is printed there, 0 to 1.
        board: edge of a board [m].
        pad: edge of the landing pad [m].
        ground: its height in the world's frame [m].
        lowest: height of the camera above the ground from which a whole board is not seen any more [m].
        lag: how much earlier a picture was taken than it says [s].
        carrier: frame of the body that carries the camera.
    """

    inputs: ClassVar[Mapping[str, Array]] = {"image": Array(f"1 {HEIGHT} {WIDTH} 3", "", "uint8")}
    outputs: ClassVar[Mapping[str, Array]] = {
        "peaks": Array(f"1 {len(KINDS)} {ROWS} {COLUMNS}", "", "float32"),
        "geometry": Array(f"1 4 {ROWS} {COLUMNS}", "", "float32"),
    }

    model: Path = Path(__file__).parents[1] / "models" / "markers.onnx"
    threshold: float = 0.1  # low: a corner that is none makes no square on which there is something to read
    likeness: float = 0.6
    board: float = 1.0
    pad: float = 1.2
    ground: float = 0.0
    lowest: float = 1.0
    lag: float = 0.0
    carrier: str = "drone"

    def ports(self) -> Ports:
        """Images are of the size the network takes; detections are in the world's frame."""
        ports = super().ports().refine("image", sizes={"h": HEIGHT, "w": WIDTH}).refine("info", frame=self.carrier)
        return ports.refine("state", frame=WORLD).refine("detections", frame=WORLD)

    def check(self) -> Iterable[str]:
        """Whether the model fits, and the settings are possible."""
        for name in ("threshold", "likeness"):
            if not 0.0 < getattr(self, name) < 1.0:
                yield f"{name} is {getattr(self, name)}; it lies between 0 and 1"
        for name in ("board", "pad", "lowest"):
            if not 0.0 < getattr(self, name) < math.inf:
                yield f"{name} is {getattr(self, name)} m, and it must be above 0"
        if not math.isfinite(self.ground):
            yield f"ground is {self.ground} m, and it must be finite"
        if not 0.0 <= self.lag <= 0.5:
            yield f"lag is {self.lag} s; it may be 0 to 0.5"
        yield from super().check()

    def open(self) -> None:
        """Load the model, and what may be printed."""
        super().open()
        self._kinds = ((Prints.markers(), self.board), (Prints.pad(), self.pad))
        self._whereabouts = Whereabouts()

    def step(self, image: Image, info: CameraInfo, state: list[DroneState]) -> Detections:
        """What is seen in one image; nothing while it is not known where the camera was.

        Raises:
            ValueError: the image is not of the size the network takes.
        """
        if image.data.shape != (HEIGHT, WIDTH, 3):
            raise ValueError(f"the model takes {HEIGHT} rows of {WIDTH} pixels, got {image.data.shape[:2]}")
        for known in state:
            self._whereabouts.add(known)
        camera = self._camera(info, image.acquired)
        if camera is None:
            return _told([], image.acquired)
        found = self.run(image=image.data[None])
        kinds, _, pixels, _ = read_heads(found["peaks"][0], found["geometry"][0], self.threshold)
        ground = camera.at_height(pixels, np.full(len(pixels), self.ground))[:, :2]
        grey = cv2.cvtColor(image.data, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        seen: list[tuple[str, Vector, float, float]] = []
        for kind, (prints, edge) in enumerate(self._kinds):
            seen += self._read(prints, squares(ground[kinds == kind], edge), camera, grey)
        return _told(seen, image.acquired)

    def _camera(self, info: CameraInfo, acquired: Time) -> Pinhole | None:
        """The camera in the world's frame when the picture was taken; None where nothing can be said by it."""
        place = self._whereabouts.at(Time(acquired - round(self.lag * SECOND)))
        if place is None:
            return None
        position = place.position + place.rotation @ info.position
        axes = place.rotation @ rotation(info.orientation)
        if position[2] - self.ground < self.lowest or axes[2, 2] > -math.cos(TILTED):
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
        self, prints: Prints, found: Iterable[Square], camera: Pinhole, grey: NDArray[np.uint8]
    ) -> list[tuple[str, Vector, float, float]]:
        """Name, position, yaw and score of the squares on which there is one of these prints."""
        taken: set[int] = set()
        told: dict[str, tuple[str, Vector, float, float]] = {}
        for square in found:
            if taken.intersection(square.corners):
                continue
            places = square.points(prints.places)
            heights = np.full((len(places), 1), self.ground)
            pixels = camera.project(np.concatenate([places, heights], axis=1)).astype(np.float32)
            patch = cv2.remap(grey, pixels[:, :1], pixels[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            reading = prints.read(patch.astype(np.float32))
            if reading.likeness < self.likeness or reading.likeness - reading.second < APART:
                continue
            taken.update(square.corners)
            position = np.array([square.middle.real, square.middle.imag, self.ground])
            yaw = square.yaw + reading.turns * math.pi / 2
            yaw = math.remainder(yaw, math.pi if reading.name == "pad" else math.tau)
            if reading.name not in told or told[reading.name][3] < reading.likeness:
                told[reading.name] = reading.name, position, yaw, reading.likeness
        return list(told.values())


def _told(seen: list[tuple[str, Vector, float, float]], acquired: Time) -> Detections:
    return Detections(
        labels=tuple(label for label, *_ in seen),
        position=np.array([position for _, position, *_ in seen]).reshape(-1, 3),
        yaw=np.array([yaw for *_, yaw, _ in seen]),
        score=np.array([score for *_, score in seen]),
        frame=WORLD,
        acquired=acquired,
    )
