"""Block detector: a small network finds the centres of blocks in an image; depth and camera pose place them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from embodied.errors import ResultRejected
from embodied.geometry import BASE
from embodied.messages import Array, CameraInfo, Depth, Detections, Image, Vector
from embodied.node.ports import Ports
from embodied.ranges import Range, positive
from policies.perception.onnx_node import OnnxNode
from policies.perception.pinhole import Pinhole

LABELS = ("red", "green", "blue", "yellow", "grey")
"""Labels of the network, in the order of its heatmaps; `grey` is anything else that stands on the table."""

HEIGHT = 240
"""Height of the network's input [px]."""

WIDTH = 320
"""Width of the network's input [px]."""

STRIDE = 4
"""Edge of a cell of the heatmaps in the image [px]."""

ROWS = HEIGHT // STRIDE
"""Number of rows of the heatmaps."""

COLUMNS = WIDTH // STRIDE
"""Number of columns of the heatmaps."""

PEAKS_MOST = 300
"""Largest number of peaks in the heatmaps of one image; more are noise, and their combinations take for ever."""

OFFSET_MOST = 4.0
"""Largest distance of an object's centre from the cell of its peak, along columns or rows [cells]."""

_WINDOW = np.arange(-2, 3)
"""Offsets of the pixels around an object's centre from which its depth is read [px]."""

_DEPTH_QUANTILE = 0.75
"""Quantile of the depths in that window."""


@dataclass(kw_only=True)
class BlockDetector(OnnxNode):
    """Base of detectors of coloured blocks, and of grey obstacles, in one image.

    The network outputs a heatmap per label that peaks at the projected centre of an object, and per cell the offset to
    that pixel and the direction of the object's sides in the image. The centre, not the top face, because a silhouette
    is symmetric about it in any light. Depth there gives the height of the top; the centre is half a block below it, or
    half the height of an obstacle, which is assumed to stand on the table at z = 0 of the base frame. The yaw of an
    obstacle, whose shape is unknown, is reported as 0.

    Without depth, every object is assumed to stand on the table and to be as tall as a block: correct for blocks that
    do, a few millimetres off for obstacles, wrong for lifted objects; and the grey of an arm counts as an obstacle.

    Attributes:
        threshold: least score of a detection, in (0, 1).
        block: edge length of a block [m].
        tallest: height of the tallest obstacle; anything grey and higher is the arm [m].
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
        """Check the settings, and that the model fits."""
        yield from Range(0, 1, includes="()").problems(threshold=self.threshold)
        yield from Range(0, 1, "m", "()").problems(block=self.block)
        yield from positive("m").problems(tallest=self.tallest)
        yield from super().check()

    def detect(self, image: Image, depth: Depth | None, info: CameraInfo) -> Detections:
        """Return the detections of one image, in the frame of its camera's pose.

        Raises:
            ValueError: image or depth does not have the size that the network takes.
            ResultRejected: the network's outputs are no numbers, or place an object nowhere.
        """
        size = (HEIGHT, WIDTH)
        if image.data.shape != (*size, 3) or (depth is not None and depth.data.shape != size):
            sizes = f"image {image.data.shape[:2]}" + ("" if depth is None else f" and depth {depth.data.shape}")
            raise ValueError(f"images must have {HEIGHT} rows of {WIDTH} pixels, got {sizes}")
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
        require_finite(position, yaw, scores)
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
class Detector(BlockDetector):
    """Detect coloured blocks and grey obstacles, with positions and yaw in the base frame; see `BlockDetector`."""

    def ports(self) -> Ports:
        """Return the ports, with images of the network's size and all poses in the base frame."""
        sizes = {"h": HEIGHT, "w": WIDTH}
        ports = super().ports().refine("image", sizes=sizes).refine("depth", sizes=sizes)
        return ports.refine("info", frame=BASE).refine("detections", frame=BASE)

    def step(self, image: Image, depth: Depth | None, info: CameraInfo) -> Detections:
        """Return the detections of one image, of a camera with or without depth.

        Raises:
            ValueError: image or depth does not have the size that the network takes.
        """
        return self.detect(image, depth, info)


def read_heads(
    peaks: NDArray[np.float32], geometry: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.intp], Vector, Vector, Vector]:
    """Decode the heads of the block detector's network into objects, highest score first.

    Args:
        peaks: heatmap of each label at its local maxima, 0 elsewhere, shape (labels, rows, columns).
        geometry: offset from a cell's middle to the object's centre along columns and rows [cells], sine and cosine of
            four times the angle of a side in the image, shape (4, rows, columns).
        threshold: least score of an object.

    Returns:
        index of the label (k,), score (k,), column and row of the centre (k, 2) [px], angle of a side (k,) [rad].

    Raises:
        ResultRejected: there are more objects than an image has, or one lies outside the image.
    """
    kinds, rows, columns = np.nonzero(peaks > threshold)
    if len(kinds) > PEAKS_MOST:
        raise ResultRejected(f"an image has at most {PEAKS_MOST} peaks, got {len(kinds)}")
    scores = peaks[kinds, rows, columns].astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    kinds, rows, columns, scores = kinds[order], rows[order], columns[order], scores[order]
    right, down, sine, cosine = geometry[:, rows, columns].astype(np.float64)
    if (np.abs([right, down]) > OFFSET_MOST).any():
        raise ResultRejected(f"an object must be within {OFFSET_MOST:g} cells of its peak")
    middle = (STRIDE - 1) / 2
    pixels = np.stack([(columns + right) * STRIDE + middle, (rows + down) * STRIDE + middle], axis=1)
    return kinds, scores, pixels, np.arctan2(sine, cosine) / 4


def require_finite(*arrays: Vector) -> None:
    """Require that the numbers of detections are finite; a finite output may still place an object at infinity.

    Raises:
        ResultRejected: one of them is not.
    """
    for array in arrays:
        if not np.isfinite(array).all():
            raise ResultRejected(f"detections must be finite, got {array[~np.isfinite(array)][0]}")


def quarter_turn(angle: Vector) -> Vector:
    """Return the angles of detected blocks modulo a quarter turn, nearest 0 [rad]."""
    nearest: Vector = angle - np.round(angle / (np.pi / 2)) * (np.pi / 2)
    return nearest


def _depth_at(depth: NDArray[np.float32], pixels: Vector) -> Vector:
    # A high quantile: a finger over a part of the face is nearer, but nothing in the window lies behind the face.
    columns, rows = np.rint(pixels).astype(np.intp).T
    rows = np.clip(rows[:, None] + _WINDOW, 0, HEIGHT - 1)
    columns = np.clip(columns[:, None] + _WINDOW, 0, WIDTH - 1)
    around = depth[rows[:, :, None], columns[:, None, :]].reshape(len(pixels), len(_WINDOW) ** 2)
    rank = int(_DEPTH_QUANTILE * around.shape[1])
    far: Vector = np.partition(around, rank, axis=1)[:, rank].astype(np.float64)
    return far


def _strongest(position: Vector, scores: Vector, apart: float) -> list[int]:
    # Non-maximum suppression: two objects cannot be in one place, and scores come sorted.
    kept: list[int] = []
    for index in range(len(scores)):
        gaps: Any = position[kept] - position[index]
        if not (np.einsum("ij,ij->i", gaps, gaps) < apart * apart).any():
            kept.append(index)
    return kept
