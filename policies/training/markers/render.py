"""Pictures of a field from the air, to train `policies.perception.markers` on and to score it.

Each seed gives a field; for each picture the multirotor is put above some place of it, turned and tilted as the wind
would. Nothing is simulated in between. The world is named by the caller, because policies do not know the simulator.
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

LOW, HIGH = 1.2, 7.5  # of the camera above the ground [m]
TILT, STEEPEST = 0.08, 0.35  # spread of the tilt, and its limit [rad]
ASIDE = 0.7  # how far from below the camera something may lie, over its height
CORNERS = np.array([(-1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (-1.0, -1.0, 0.0)])
EDGES = {"board": 1.0, "pad": 1.2}  # [m]


@dataclass(frozen=True)
class Sight:
    """One picture with what lies on the field.

    Attributes:
        rgb: shape (h, w, 3).
        info: of the camera, in the world's frame.
        truth: position (3,) [m] and yaw [rad] by label.
    """

    rgb: NDArray[np.uint8]
    info: CameraInfo
    truth: Mapping[str, tuple[Vector, float]]

    def corners(self, label: str) -> Vector:
        """Where the corners of something are seen, shape (4, 2) [px]."""
        position, yaw = self.truth[label]
        turn = transform((0.0, 0.0, 0.0), (0.0, 0.0, yaw))[:3, :3]
        return Pinhole(self.info).project(position + EDGES[kind(label)] / 2 * CORNERS @ turn.T)

    def whole(self, label: str, margin: float = 4.0) -> bool:
        """Whether all its corners are in the picture, so far from the edges [px]."""
        corners = self.corners(label)
        return bool((corners > margin).all() and (corners < np.array([WIDTH, HEIGHT]) - 1 - margin).all())


def kind(label: str) -> str:
    """Whether something is a board or the pad."""
    return "pad" if label == "pad" else "board"


def sights(world: Any, seed: int, count: int, *, vary: bool) -> Iterator[Sight]:
    """Pictures of the field of a seed.

    Args:
        world: an airfield.
        seed: of the field.
        count: how many pictures.
        vary: whether each is taken by another camera, in other colours than the field's own; for training.
    """
    world.reset(seed)
    camera = world.camera("down", width=WIDTH, height=HEIGHT)
    truth = {label: (thing.position, thing.yaw) for label, thing in sorted(world.truth().items())}
    mount = camera.info()
    for index in range(count):
        rng = generator(seed, "sights", str(index))
        # Low pictures show more, so they are as frequent as high ones when the logarithm is even.
        height = float(np.exp(rng.uniform(np.log(LOW), np.log(HIGH))))
        below = truth[str(rng.choice(list(truth)))][0][:2] + rng.uniform(-ASIDE, ASIDE, 2) * height * 0.7
        tilt = np.clip(rng.normal(0.0, TILT, 2), -STEEPEST, STEEPEST)
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
        yield Sight(_recoloured(rgb, rng) if vary else rgb, info, truth)


def render(world: Any, seeds: tuple[int, int], count: int) -> Renders:
    """Pictures to train on: so many of each seed, from the first up to, but without, the second."""
    taken = [sight for seed in range(*seeds) for sight in sights(world, seed, count, vary=True)]
    objects = [row for number, sight in enumerate(taken) for row in _labelled(number, sight)]
    return Renders(
        rgb=np.stack([sight.rgb for sight in taken]),
        depth=np.zeros((len(taken), 0, 0), np.float32),
        objects=np.array(objects, dtype=OBJECT),
        cameras=np.array([(s.info.matrix, s.info.position, s.info.orientation) for s in taken], dtype=CAMERA),
        seeds=(seeds,),
        renderer=str(world.about()["renderer"]),
    )


def _labelled(number: int, sight: Sight) -> Iterator[tuple[Any, ...]]:
    """The corners in a picture, as objects of `render_blocks`: each with the direction of a side."""
    for label, (position, yaw) in sight.truth.items():
        corners = sight.corners(label)
        sides = np.roll(corners, -1, axis=0) - corners
        for pixel, side in zip(corners, sides, strict=True):
            angle = float(np.arctan2(side[1], side[0]))
            yield number, KINDS.index(kind(label)), pixel, angle, 1.0, 1.0, position, yaw


def _recoloured(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Other ground and other light than any field has: colours mixed, contrast and brightness changed."""
    mixed = np.eye(3) + rng.normal(0.0, 0.12, (3, 3))
    mixed *= rng.uniform(0.55, 1.35)
    if rng.random() < 0.3:
        mixed = (1.0 - (share := rng.uniform(0.3, 1.0))) * mixed + share * mixed.mean()
    changed = rgb.astype(np.float32) @ mixed.T.astype(np.float32) + np.float32(rng.uniform(-25.0, 35.0))
    recoloured: NDArray[np.uint8] = np.clip(changed, 0, 255).astype(np.uint8)
    return recoloured
