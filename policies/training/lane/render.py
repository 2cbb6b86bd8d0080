"""Rendered road images for lane perception: `python -m policies.training.lane.render FILE --seeds A:B`.

Each seed gives a road; each image places the car somewhere in the lane, or off it, and the obstacle in the lane or
partly aside. No physics is simulated in between. The caller names the world, because policies do not import the
simulator.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from embodied.node.node import generator
from policies.perception.lane import warped

TARGET = np.dtype(
    [
        ("offset", "f4"),  # [m]
        ("heading", "f4"),  # [rad]
        ("curvature", "f4"),  # [1/m]
        ("obstacle", "f4"),  # [m]; NaN if none is in view
        ("stop_line", "f4"),  # [m]; NaN if none is in view
        ("inside", "f4"),  # whether the car is in its lane, 0 or 1
    ]
)

OFFSET_MOST = 0.32
"""Largest offset of a car that counts as in its lane [m]."""

HEADING_MOST = 0.38
"""Largest heading error of a car that counts as in its lane [rad]."""

Targets = NDArray[np.void]


@dataclass(frozen=True)
class Views:
    """Rendered road images in the lane network's view, with their true values.

    Attributes:
        images: images, shape (n, h, w, 3).
        targets: true values, of dtype TARGET, shape (n,).
        seeds: half-open ranges of seeds.
    """

    images: NDArray[np.uint8]
    targets: Targets
    seeds: tuple[tuple[int, int], ...]

    @classmethod
    def load(cls, *files: Path) -> Self:
        """Read saved sets as one."""
        parts = [np.load(file) for file in files]
        images, targets = (np.concatenate([part[name] for part in parts]) for name in ("images", "targets"))
        pairs = sorted((int(a), int(b)) for part in parts for a, b in part["seeds"])
        return cls(images, targets, tuple(pairs))

    def save(self, file: Path) -> None:
        """Write the set to a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=self.images, targets=self.targets, seeds=np.array(self.seeds))


def views(world: Any, seed: int, count: int, size: tuple[int, int]) -> Iterator[tuple[NDArray[np.uint8], Targets]]:
    """Render images of the road of a seed, each by a random camera, with their true values.

    Args:
        world: world with the car.
        seed: seed of the road.
        count: number of images.
        size: width and height of the camera's images [px].
    """
    world.reset(seed)
    width, height = size
    scene, camera = world.scene, world.camera("front", width=width, height=height)
    for index in range(count):
        rng = generator(seed, "views", str(index))
        along, offset, heading = _place(scene, rng)
        if scene.obstacle is not None:
            way = rng.random()
            world.draw_aside(0.0 if way < 0.6 else 1.5 if way < 0.75 else float(rng.uniform(0.0, 1.5)))
        world.place(along, offset, heading)
        camera.vary(generator(seed, "lens", str(index)))
        true = world.lane_truth()
        inside = abs(true.offset) <= OFFSET_MOST and abs(true.heading) <= HEADING_MOST
        far = np.nan
        target = (
            true.offset,
            true.heading,
            true.curvature,
            far if true.obstacle is None else true.obstacle,
            far if true.stop_line is None else true.stop_line,
            float(inside),
        )
        yield warped(camera.render().rgb, camera.info()), np.array(target, TARGET)


def _place(scene: Any, rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a pose of the car: distance along the lane [m], offset [m] and heading [rad]."""
    way, back = rng.random(), float(rng.uniform(0.9, 6.5))
    along = float(rng.uniform(0.0, scene.lane.stop - 1.0))
    if way < 0.45 and scene.obstacle is not None:
        along = scene.obstacle.along - scene.obstacle.half_extents()[0] - back
    elif way > 0.70:
        along = scene.lane.stop - back
    how = rng.random()
    if how < 0.08:
        # Off the lane, or across it.
        side = 1.0 if rng.random() < 0.5 else -1.0
        if rng.random() < 0.5:
            return along, side * float(rng.uniform(0.6, 2.0)), float(rng.uniform(-1.0, 1.0))
        return along, float(rng.uniform(-0.3, 0.3)), side * float(rng.uniform(0.8, np.pi))
    if how < 0.5:
        return along, float(rng.normal(0.0, 0.06)), float(rng.normal(0.0, 0.08))
    return along, float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.35, 0.35))


def open_world(name: str) -> Any:
    """Make the world of a class, `module:Class`, to render road images of."""
    module, kind = name.split(":")
    return getattr(importlib.import_module(module), kind)()


def main() -> None:
    """Render a set of road images for lane perception into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", required=True, help="from:to, without the last")
    parser.add_argument("--images", type=int, default=50, help="of each seed")
    parser.add_argument("--size", default="160x120", help="of what the camera takes, before it is turned [px]")
    parser.add_argument("--world", default="sims.road:Road")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split(":"))
    width, height = map(int, arguments.size.split("x"))
    world = open_world(arguments.world)
    seen = [view for seed in range(first, last) for view in views(world, seed, arguments.images, (width, height))]
    images, targets = zip(*seen, strict=True)
    Views(np.stack(images), np.stack(targets), ((first, last),)).save(arguments.file)


if __name__ == "__main__":
    main()
