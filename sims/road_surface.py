"""Surface of a road: ground with patches and cracks, a lane with lines that wear, the stop line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector
from embodied.node.node import generator
from sims import scenery
from sims.bullet import Bullet
from sims.lane import BEFORE, STEP, WIDTH, Lane
from sims.rendering.mesh import Mesh, Pixels, rectangle

FRICTION = 0.9
"""Friction of the ground; PyBullet multiplies those of the two bodies in contact."""

TEXEL = 0.015
"""Edge of a texel of the ground [m]."""

MARGIN = 4.0
"""Width of the textured ground on either side of the lane's middle [m]."""

FINE = 16
"""Fractions of a texel to which corners of the paint are rounded, a power of 2."""

Floats = NDArray[np.float32]

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class RoadLook:
    """Appearance of a road surface: light, paint and camera, without anything that moves.

    Attributes:
        brightness: exposure of the camera.
        light: unit vector towards the sun.
        ambient: share of the light that comes from everywhere, 0 to 1.
        ground: colour of the ground (RGB, 0 to 1).
        rough: standard deviation of the brightness of the ground.
        paint: colour of the lines (RGB, 0 to 1).
        width: width of the lines [m].
        wear: share of the paint that is gone, 0 to 1.
        seed: seed of the texture.
        shift, tilt: error of the camera's mounting [m], [rad].
    """

    brightness: float
    light: Triple
    ambient: float
    ground: Triple
    rough: float
    paint: Triple
    width: float
    wear: float
    seed: int
    shift: Triple
    tilt: Triple


def draw_look(seed: int, spread: float) -> RoadLook:
    """Draw the appearance of the road surface of a seed.

    Args:
        seed: seed of the run.
        spread: variation of light, paint and camera, as a multiple of that in the training data.
    """
    rng = generator(seed, "road", "look")

    def stray(low: float, high: float, size: int | None = None) -> Any:
        more = (spread - 1.0) * (high - low) / 2
        return rng.uniform(low - more, high + more, size)

    azimuth = rng.uniform(-math.pi, math.pi)
    height = np.clip(stray(math.radians(25), math.radians(80)), math.radians(10), math.radians(90))
    light = (math.cos(azimuth) * math.cos(height), math.sin(azimuth) * math.cos(height), math.sin(height))
    # Asphalt to concrete; paint is always brighter than what it lies on.
    tone, warmth = np.clip(stray(0.16, 0.48), 0.05, 0.6), stray(-0.02, 0.04)
    bright, yellow = np.clip(stray(0.78, 0.98), 0.7, 1.0), rng.random() < 0.3
    return RoadLook(
        brightness=float(max(0.3, stray(0.7, 1.4))),
        light=light,
        ambient=float(np.clip(stray(0.40, 0.70), 0.2, 0.9)),
        ground=triple(np.array([tone + warmth, tone, tone - warmth])),
        rough=float(max(0.0, stray(0.02, 0.07))),
        paint=(float(bright), float(bright * (0.82 if yellow else 0.99)), float(bright * (0.25 if yellow else 0.96))),
        width=float(stray(0.05, 0.08)),
        wear=float(np.clip(stray(0.0, 0.30), 0.0, 0.6)),
        seed=int(rng.integers(2**31)),
        shift=triple(stray(-0.005, 0.005, 3)),
        tilt=triple(np.radians(stray(-0.3, 0.3, 3))),
    )


def triple(values: Vector) -> Triple:
    """Convert an array of three values of a road surface, such as a colour, to a tuple."""
    a, b, c = values.tolist()
    return a, b, c


def build(bullet: Bullet, lane: Lane, look: RoadLook, height: float) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """Build the surface of a road in PyBullet at a height [m]: an endless plane to touch, with a lane painted on it.

    Returns:
        number of the plane's body, and meshes of the painted ground and of what lies around it.
    """
    plane = bullet.createCollisionShape(bullet.GEOM_PLANE)
    painted = surface(lane, look)
    body = int(bullet.createMultiBody(0, plane, scenery.visual(bullet, painted), (0.0, 0.0, height)))
    bullet.changeDynamics(body, -1, lateralFriction=FRICTION, restitution=0.0)
    around = rectangle((-80.0, 120.0), (-100.0, 100.0), 0.0)
    rest = int(bullet.createMultiBody(0, -1, scenery.visual(bullet, around, look.ground), (0.0, 0.0, height - 0.01)))
    return body, {(body, -1): painted, (rest, -1): around}


def surface(lane: Lane, look: RoadLook) -> Mesh:
    """Build the meshes of a road surface: ground level at z = 0, with the lane painted on it."""
    low = lane.points[:, :2].min(axis=0) - MARGIN
    size = lane.points[:, :2].max(axis=0) + MARGIN - low
    columns, rows = np.ceil(size / TEXEL).astype(int).tolist()
    picture = _painted(lane, look, low, columns, rows)
    high = low + np.array([columns, rows]) * TEXEL
    return rectangle((float(low[0]), float(high[0])), (float(low[1]), float(high[1])), 0.0, picture)


def _painted(lane: Lane, look: RoadLook, low: Vector, columns: int, rows: int) -> Pixels:
    rng = np.random.default_rng(look.seed)
    tone = np.ones((rows, columns), np.float32)
    for cell in (1.6, 0.25, TEXEL):
        tone += _blotches(rng, columns, rows, cell) * np.float32(look.rough)
    for _ in range(10):
        _patch(rng, tone)
    lines = _lines(lane, look, low, columns, rows)
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
    """Draw noise of standard deviation 1 on a grid of cells [m]."""
    shape = (max(2, round(rows * TEXEL / cell)), max(2, round(columns * TEXEL / cell)))
    noise: Floats = rng.standard_normal(shape, dtype=np.float32)
    return np.asarray(cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _patch(rng: np.random.Generator, tone: Floats) -> None:
    """Draw a mended place, darker or lighter, or a crack."""
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


def _lines(lane: Lane, look: RoadLook, low: Vector, columns: int, rows: int) -> Floats:
    """Rasterise the share of each texel that is under paint, 0 to 1."""
    mask = np.zeros((rows, columns), np.uint8)
    x, y, yaw = lane.points.T
    normal = np.stack([-np.sin(yaw), np.cos(yaw)], axis=1)
    middle = np.stack([x, y], axis=1)
    half = look.width / 2
    for side in (-WIDTH / 2, WIDTH / 2):
        inner, outer = middle + (side - half) * normal, middle + (side + half) * normal
        _filled(mask, np.concatenate([inner, outer[::-1]]), low)
    first = round((lane.stop + BEFORE) / STEP)
    start, direction = np.array(lane.pose(lane.stop)[:2]), yaw[first]
    ahead, left = np.array([math.cos(direction), math.sin(direction)]), normal[first] * (WIDTH / 2 - half)
    _filled(
        mask,
        np.array([start + left, start - left, start - left + lane.line * ahead, start + left + lane.line * ahead]),
        low,
    )
    return mask.astype(np.float32) / np.float32(255)


def _filled(mask: Pixels, corners: Vector, low: Vector) -> None:
    # Row 0 of the picture has the largest y.
    texels = (corners - low) / TEXEL - 0.5
    texels[:, 1] = mask.shape[0] - 1 - texels[:, 1]
    cv2.fillPoly(mask, [np.rint(texels * FINE).astype(np.int32)], 255, cv2.LINE_AA, int(math.log2(FINE)))
