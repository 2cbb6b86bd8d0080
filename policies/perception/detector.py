"""Blocks seen by a camera: a small network finds their middles, depth and camera pose say where these are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from embodied.geometry import BASE
from embodied.messages import Array, CameraInfo, Depth, Detections, Image, Vector
from embodied.node.ports import Ports
from policies.perception.onnx_node import OnnxNode
from policies.perception.pinhole import Pinhole

LABELS = ("red", "green", "blue", "yellow", "grey")
"""What the network tells apart, in the order of its heatmaps; `grey` is anything else that stands on the table."""

HEIGHT, WIDTH, STRIDE = 240, 320, 4  # [px]
ROWS, COLUMNS = HEIGHT // STRIDE, WIDTH // STRIDE

_WINDOW = np.arange(-2, 3)
_FAR = 0.75


@dataclass(kw_only=True)
class Blocks(OnnxNode):
    """What detects coloured blocks, and grey obstacles, in one image.

    The network gives a heatmap for each label that peaks where the middle of an object is projected, and for each cell
    the way to that pixel and the direction of the object's sides in the image. The middle and not the top face, because
    a silhouette is symmetric about it, however alike the light makes top and sides. Depth there gives the height of the
    top; half a block below it is the middle, or half the height of an obstacle, which is taken to stand on the table at
    z = 0 of the base frame. An obstacle's yaw, for which its shape would have to be known, is given as 0.

    Without depth, everything is taken to stand on the table and to be as tall as a block: right for blocks that do, a
    few millimetres off for obstacles, wrong for what is held up, and the grey of an arm counts as an obstacle.

    Attributes:
        threshold: least score of what is reported, 0 to 1.
        block: edge length of a block [m].
        tallest: height of an obstacle; what is grey and higher is the arm [m].
    """

    inputs: ClassVar[Mapping[str, Array]] = {"image": Array(f"1 {HEIGHT} {WIDTH} 3", "", "uint8")}
    outputs: ClassVar[Mapping[str, Array]] = {
        "peaks": Array(f"1 {len(LABELS)} {ROWS} {COLUMNS}", "", "float32"),
        "geometry": Array(f"1 4 {ROWS} {COLUMNS}", "", "float32"),
    }

    model: Path = Path(__file__).parents[1] / "models" / "blocks.onnx"
    threshold: float = 0.4
    block: float = 0.04
    tallest: float = 0.08

    def check(self) -> Iterable[str]:
        """Whether the model fits, and the settings are possible."""
        if not 0.0 < self.threshold < 1.0:
            yield f"threshold is {self.threshold}; a score lies between 0 and 1"
        if not 0.0 < self.block < 1.0:
            yield f"block is {self.block}; the edge of a block lies between 0 and 1 m"
        if not self.tallest > 0.0:
            yield f"tallest is {self.tallest}; an obstacle has a height above 0 m"
        yield from super().check()

    def see(self, image: Image, depth: Depth | None, info: CameraInfo) -> Detections:
        """What is seen in one image, in the frame of its camera's pose.

        Raises:
            ValueError: image or depth is not of the size the network takes.
        """
        size = (HEIGHT, WIDTH)
        if image.data.shape != (*size, 3) or (depth is not None and depth.data.shape != size):
            sizes = f"image {image.data.shape[:2]}" + ("" if depth is None else f" and depth {depth.data.shape}")
            raise ValueError(f"the model takes {HEIGHT} rows of {WIDTH} pixels, got {sizes}")
        found = self.run(image=image.data[None])
        kinds, scores, pixels, angles = read_heads(found["peaks"][0], found["geometry"][0], self.threshold)
        camera = Pinhole(info)
        grey = kinds == LABELS.index("grey")
        top = np.full(len(kinds), self.block)
        if depth is not None:
            away = _depth_at(depth.data, pixels)
            top = camera.at_depth(pixels, away)[:, 2]
            seen = (away > 0.0) & ~(grey & (top > self.tallest))
            kinds, scores, pixels, angles, top, grey = (p[seen] for p in (kinds, scores, pixels, angles, top, grey))
        middle = np.where(grey, top / 2, top - self.block / 2)
        position = camera.at_height(pixels, middle)
        # A side's direction in the image becomes one on the table through a second point of that side.
        beside = camera.at_height(pixels + np.stack([np.cos(angles), np.sin(angles)], axis=1), middle)
        yaw = quarter_turn(np.arctan2(beside[:, 1] - position[:, 1], beside[:, 0] - position[:, 0]))
        yaw[grey] = 0.0
        kept = _strongest(position, scores, self.block / 2)
        return Detections(
            labels=tuple(LABELS[kind] for kind in kinds[kept].tolist()),
            position=position[kept],
            yaw=yaw[kept],
            score=scores[kept],
            frame=info.frame,
            acquired=image.acquired,
        )


@dataclass(kw_only=True)
class Detector(Blocks):
    """Detect coloured blocks, and grey obstacles, with their positions and yaw in the base frame; see `Blocks`."""

    def ports(self) -> Ports:
        """Images are of the size the network takes, and everything is in the base frame."""
        sizes = {"h": HEIGHT, "w": WIDTH}
        ports = super().ports().refine("image", sizes=sizes).refine("depth", sizes=sizes)
        return ports.refine("info", frame=BASE).refine("detections", frame=BASE)

    def step(self, image: Image, depth: Depth | None, info: CameraInfo) -> Detections:
        """What is seen in one image, of a camera with depth or without.

        Raises:
            ValueError: image or depth is not of the size the network takes.
        """
        return self.see(image, depth, info)


def read_heads(
    peaks: NDArray[np.float32], geometry: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.intp], Vector, Vector, Vector]:
    """The objects that the network's heads speak of, the surest first.

    Args:
        peaks: the heatmap of each label where it has a local maximum, 0 elsewhere, shape (labels, rows, columns).
        geometry: way from a cell's middle to the object's [cells] along columns and rows, sine and cosine of four
            times the angle of a side in the image, shape (4, rows, columns).
        threshold: least score.

    Returns:
        number of the label (k,), score (k,), column and row of the middle (k, 2) [px], angle of a side (k,) [rad].
    """
    kinds, rows, columns = np.nonzero(peaks > threshold)
    scores = peaks[kinds, rows, columns].astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    kinds, rows, columns, scores = kinds[order], rows[order], columns[order], scores[order]
    right, down, sine, cosine = geometry[:, rows, columns].astype(np.float64)
    middle = (STRIDE - 1) / 2
    pixels = np.stack([(columns + right) * STRIDE + middle, (rows + down) * STRIDE + middle], axis=1)
    return kinds, scores, pixels, np.arctan2(sine, cosine) / 4


def quarter_turn(angle: Vector) -> Vector:
    """The representative nearest 0 of angles that are equal modulo a quarter turn [rad]."""
    nearest: Vector = angle - np.round(angle / (np.pi / 2)) * (np.pi / 2)
    return nearest


def _depth_at(depth: NDArray[np.float32], pixels: Vector) -> Vector:
    # Towards the far side: a finger over a part of the face is nearer, and nothing in the window lies behind the face.
    columns, rows = np.rint(pixels).astype(np.intp).T
    rows = np.clip(rows[:, None] + _WINDOW, 0, HEIGHT - 1)
    columns = np.clip(columns[:, None] + _WINDOW, 0, WIDTH - 1)
    around = depth[rows[:, :, None], columns[:, None, :]].reshape(len(pixels), len(_WINDOW) ** 2)
    rank = int(_FAR * around.shape[1])
    far: Vector = np.partition(around, rank, axis=1)[:, rank].astype(np.float64)
    return far


def _strongest(position: Vector, scores: Vector, apart: float) -> list[int]:
    # Two things cannot be in one place; scores come sorted, so the first is the surest.
    kept: list[int] = []
    for index in range(len(scores)):
        gaps: Any = position[kept] - position[index]
        if not (np.einsum("ij,ij->i", gaps, gaps) < apart * apart).any():
            kept.append(index)
    return kept
