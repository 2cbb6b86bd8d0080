"""Rendered aerial images of marker fields, to train and to score `policies.perception.markers`.

Each seed gives a field; for each image the multirotor is placed above it at random, turned and tilted. No physics is
simulated in between. The caller names the world, because policies do not import the simulator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.geometry import quaternion, rotation, transform
from embodied.messages import CameraInfo, Vector
from embodied.node.node import generator
from policies.perception.detector import HEIGHT, WIDTH
from policies.perception.markers import KINDS
from policies.perception.pinhole import Pinhole
from policies.training.blocks.render import CAMERA, OBJECT, Renders

HEIGHT_LEAST = 1.2
"""Least height of the camera above the ground [m]."""

HEIGHT_MOST = 7.5
"""Largest height of the camera above the ground [m]."""

TILT_SPREAD = 0.08
"""Standard deviation of the tilt [rad]."""

TILT_MOST = 0.35
"""Largest tilt [rad]."""

ASIDE = 0.7
"""Largest distance of a marker from the point below the camera, over its height."""

CORNERS = np.array([(-1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (-1.0, -1.0, 0.0)])
"""Corners of a square, in halves of its edge."""

EDGES = {"board": 1.0, "pad": 1.2}
"""Edge of each kind of marker [m]."""


@dataclass(frozen=True)
class AerialView:
    """Rendered aerial image with the true poses of the markers.

    Attributes:
        rgb: image, shape (h, w, 3).
        info: intrinsics and pose of the camera, in the world's frame.
        truth: position (3,) [m] and yaw [rad] by label.
    """

    rgb: NDArray[np.uint8]
    info: CameraInfo
    truth: Mapping[str, tuple[Vector, float]]

    def corners(self, label: str) -> Vector:
        """Return the projected corners of a marker, shape (4, 2) [px]."""
        position, yaw = self.truth[label]
        turn = transform((0.0, 0.0, 0.0), (0.0, 0.0, yaw))[:3, :3]
        return Pinhole(self.info).project(position + EDGES[kind(label)] / 2 * CORNERS @ turn.T)

    def whole(self, label: str, margin: float = 4.0) -> bool:
        """Return whether all corners of a marker are in the image, by a margin [px]."""
        corners = self.corners(label)
        return bool((corners > margin).all() and (corners < np.array([WIDTH, HEIGHT]) - 1 - margin).all())


def kind(label: str) -> str:
    """Return the kind of a marker in an aerial image: `board` or `pad`."""
    return "pad" if label == "pad" else "board"


def aerial_views(world: Any, seed: int, count: int, *, vary: bool) -> Iterator[AerialView]:
    """Render aerial images of the field of a seed.

    Args:
        world: airfield.
        seed: seed of the field.
        count: number of images.
        vary: whether camera and colours vary from image to image; for training.
    """
    world.reset(seed)
    camera = world.camera("down", width=WIDTH, height=HEIGHT)
    truth = {label: (thing.position, thing.yaw) for label, thing in sorted(world.truth().items())}
    mount = camera.info()
    for index in range(count):
        rng = generator(seed, "sights", str(index))
        # A uniform logarithm of the height: markers are of all sizes in the image alike.
        height = float(np.exp(rng.uniform(np.log(HEIGHT_LEAST), np.log(HEIGHT_MOST))))
        below = truth[str(rng.choice(list(truth)))][0][:2] + rng.uniform(-ASIDE, ASIDE, 2) * height * 0.7
        tilt = np.clip(rng.normal(0.0, TILT_SPREAD, 2), -TILT_MOST, TILT_MOST)
        turn = transform((0.0, 0.0, 0.0), (*tilt.tolist(), float(rng.uniform(-np.pi, np.pi))))[:3, :3]
        position = np.array([*below, height])
        world.drone().place(position, quaternion(turn))
        if vary:
            camera.vary(generator(seed, "lens", str(index)))
        rgb = camera.render(rgb=True).rgb
        axes = turn @ rotation(mount.orientation)
        info = CameraInfo(
            width=WIDTH,
            height=HEIGHT,
            matrix=mount.matrix,
            position=position + turn @ mount.position,
            orientation=quaternion(axes),
            frame="world",
        )
        yield AerialView(_recoloured(rgb, rng) if vary else rgb, info, truth)


def render(world: Any, seeds: tuple[int, int], count: int) -> Renders:
    """Render aerial training images: `count` of each seed of a half-open range."""
    taken = [view for seed in range(*seeds) for view in aerial_views(world, seed, count, vary=True)]
    objects = [row for number, view in enumerate(taken) for row in _labelled(number, view)]
    return Renders(
        rgb=np.stack([view.rgb for view in taken]),
        depth=np.zeros((len(taken), 0, 0), np.float32),
        objects=np.array(objects, dtype=OBJECT),
        cameras=np.array([(s.info.matrix, s.info.position, s.info.orientation) for s in taken], dtype=CAMERA),
        seeds=(seeds,),
        renderer=str(world.about()["renderer"]),
    )


def _labelled(number: int, view: AerialView) -> Iterator[tuple[Any, ...]]:
    """Yield the corners in an image as objects of the block renderer, each with the direction of a side."""
    for label, (position, yaw) in view.truth.items():
        corners = view.corners(label)
        sides = np.roll(corners, -1, axis=0) - corners
        for pixel, side in zip(corners, sides, strict=True):
            angle = float(np.arctan2(side[1], side[0]))
            yield number, KINDS.index(kind(label)), pixel, angle, 1.0, 1.0, position, yaw


def _recoloured(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary ground and light: mix colours, change contrast and brightness."""
    mixed = np.eye(3) + rng.normal(0.0, 0.12, (3, 3))
    mixed *= rng.uniform(0.55, 1.35)
    if rng.random() < 0.3:
        mixed = (1.0 - (share := rng.uniform(0.3, 1.0))) * mixed + share * mixed.mean()
    changed = rgb.astype(np.float32) @ mixed.T.astype(np.float32) + np.float32(rng.uniform(-25.0, 35.0))
    recoloured: NDArray[np.uint8] = np.clip(changed, 0, 255).astype(np.uint8)
    return recoloured
