"""What a road looks like from above: its ground with patches and cracks, lines that wear, the stop line."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector
from sims.rendering.mesh import Mesh, Pixels, rectangle
from sims.road.scene import BEFORE, LANE, STEP, Course

TEXEL = 0.015  # [m]
MARGIN = 4.0  # of ground around the lane's middle [m]
FINE = 16  # parts of a texel that corners are rounded to

Floats = NDArray[np.float32]


def surface(course: Course) -> Mesh:
    """The ground around a lane, level at z = 0."""
    low = course.points[:, :2].min(axis=0) - MARGIN
    size = course.points[:, :2].max(axis=0) + MARGIN - low
    columns, rows = np.ceil(size / TEXEL).astype(int).tolist()
    picture = _painted(course, low, columns, rows)
    high = low + np.array([columns, rows]) * TEXEL
    return rectangle((float(low[0]), float(high[0])), (float(low[1]), float(high[1])), 0.0, picture)


def _painted(course: Course, low: Vector, columns: int, rows: int) -> Pixels:
    look = course.look
    rng = np.random.default_rng(look.sky)
    tone = np.ones((rows, columns), np.float32)
    for cell in (1.6, 0.25, TEXEL):
        tone += _blotches(rng, columns, rows, cell) * np.float32(look.rough)
    for _ in range(10):
        _patch(rng, tone)
    lines = _lines(course, low, columns, rows)
    # Worn paint is gone in blotches, and thinner everywhere.
    worn = _blotches(rng, columns, rows, 0.06) + _blotches(rng, columns, rows, 0.5)
    gone = np.quantile(worn[::7, ::7], look.wear) if look.wear > 0.0 else -np.inf
    lines *= np.where(worn < gone, np.float32(0.25), np.float32(1.0 - look.wear / 2))
    picture = np.empty((rows, columns, 3), np.uint8)
    for part in range(3):
        ground = np.float32(look.ground[part]) * tone
        mixed = ground + lines * (np.float32(look.paint[part]) * (0.85 + 0.15 * tone) - ground)
        picture[:, :, part] = np.clip(255 * mixed, 0, 255)
    return picture


def _blotches(rng: np.random.Generator, columns: int, rows: int, cell: float) -> Floats:
    """Noise of standard deviation 1 that varies over so many metres."""
    shape = (max(2, round(rows * TEXEL / cell)), max(2, round(columns * TEXEL / cell)))
    noise: Floats = rng.standard_normal(shape, dtype=np.float32)
    return np.asarray(cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _patch(rng: np.random.Generator, tone: Floats) -> None:
    """A mended place, darker or lighter, or a crack."""
    rows, columns = tone.shape
    middle = rng.uniform((0, 0), (columns, rows))
    if rng.random() < 0.5:
        turn, half = rng.uniform(0.0, math.pi), rng.uniform(0.3, 1.2, 2) / TEXEL
        axes = np.array([(math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))]) * half[:, None]
        corners = [middle + a * axes[0] + b * axes[1] for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
        cv2.fillConvexPoly(tone, np.rint(corners).astype(np.int32), float(rng.uniform(0.75, 1.2)))
        return
    way = np.cumsum(rng.normal(0.0, 0.25 / TEXEL, (12, 2)), axis=0) + middle
    cv2.polylines(tone, [np.rint(way).astype(np.int32)], False, float(rng.uniform(0.5, 0.8)), 1)


def _lines(course: Course, low: Vector, columns: int, rows: int) -> Floats:
    """How much of each texel is under paint, 0 to 1."""
    mask = np.zeros((rows, columns), np.uint8)
    x, y, yaw = course.points.T
    normal = np.stack([-np.sin(yaw), np.cos(yaw)], axis=1)
    middle = np.stack([x, y], axis=1)
    half = course.look.width / 2
    for side in (-LANE / 2, LANE / 2):
        inner, outer = middle + (side - half) * normal, middle + (side + half) * normal
        _filled(mask, np.concatenate([inner, outer[::-1]]), low)
    first = round((course.stop + BEFORE) / STEP)
    start, direction = np.array(course.pose(course.stop)[:2]), yaw[first]
    ahead, left = np.array([math.cos(direction), math.sin(direction)]), normal[first] * (LANE / 2 - half)
    _filled(
        mask,
        np.array([start + left, start - left, start - left + course.line * ahead, start + left + course.line * ahead]),
        low,
    )
    return mask.astype(np.float32) / np.float32(255)


def _filled(mask: Pixels, corners: Vector, low: Vector) -> None:
    # Row 0 of the picture is the far end of y.
    texels = (corners - low) / TEXEL - 0.5
    texels[:, 1] = mask.shape[0] - 1 - texels[:, 1]
    cv2.fillPoly(mask, [np.rint(texels * FINE).astype(np.int32)], 255, cv2.LINE_AA, int(math.log2(FINE)))
