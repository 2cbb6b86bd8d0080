"""Rendered table images for the block detector: `python -m policies.training.blocks.render FOLDER --seeds A:B`.

Each seed gives a scene; each image moves objects to poses that occur in runs: blocks touching, stacked, in the tray or
in the air, and the arm anywhere, above a block or holding one. No physics is simulated in between, only poses are set.
The caller names the world, because policies do not import the simulator. The poses fit the table of a Panda; for a
smaller one use one image of each seed, which shows the start of a run.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from embodied.geometry import rotation, tool_rotation, yaw_angle
from embodied.messages import CameraInfo, Vector
from embodied.node.node import generator
from embodied.node.settings import Context, make
from embodied.robot import Robot
from embodied.world import Rendering
from policies.motion.arm import Arm, Limits
from policies.perception.detector import HEIGHT, LABELS, WIDTH
from policies.perception.pinhole import Pinhole

OBJECT = np.dtype(
    [
        ("image", "i4"),
        ("kind", "i4"),  # index in LABELS
        ("pixel", "f8", 2),  # projection of its centre: column and row [px]
        ("angle", "f8"),  # direction of one of its sides in the image [rad]
        ("visible", "f8"),  # visible part of its silhouette
        ("face", "f8"),  # its own part of the 5 × 5 pixels around its centre
        ("position", "f8", 3),  # position of its centre in the base frame [m]
        ("yaw", "f8"),  # [rad]
    ]
)
CAMERA = np.dtype([("matrix", "f8", (3, 3)), ("position", "f8", 3), ("orientation", "f8", 4)])

ROBOTS = tuple(Path("launch/robots", f"{name}.yaml") for name in ("panda", "xarm6"))
"""Launch fragments of the robots with which the shipped detector was trained."""

Objects = NDArray[np.void]
Poses = dict[str, tuple[Vector, float]]
"""Position of the centre [m] and yaw [rad] of each thing, by label."""


@dataclass(frozen=True)
class Renders:
    """Rendered table images for the block detector, with their objects and cameras.

    Attributes:
        rgb: images, shape (images, h, w, 3).
        depth: depth images, shape (images, h, w); (images, 0, 0) if there are none [m].
        objects: objects, of dtype OBJECT, in the order of their images.
        cameras: camera of each image, of dtype CAMERA, shape (images,).
        seeds: half-open ranges of seeds.
        renderer: name and version of the renderer.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    objects: Objects
    cameras: NDArray[np.void]
    seeds: tuple[tuple[int, int], ...]
    renderer: str

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a set from its folder."""
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("rgb", "depth", "objects", "cameras")
        }
        about = json.loads((folder / "about.json").read_text())
        return cls(**arrays, seeds=tuple((a, b) for a, b in about["seeds"]), renderer=about["renderer"])

    def save(self, folder: Path) -> None:
        """Write the set into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("rgb", "depth", "objects", "cameras"):
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "about.json").write_text(json.dumps({"seeds": self.seeds, "renderer": self.renderer}))


class Stage:
    """World of a table in which blocks and arm are placed for each rendered image.

    Args:
        world: world with a camera `overhead` and an arm.
        robot: robot of the arm.
        renderer: renderer of the images; `auto` is the world's choice.
        vary: whether the camera varies from image to image: exposure, white balance, noise, blur and distortion.
    """

    def __init__(self, world: Any, robot: Robot, *, renderer: str = "auto", vary: bool = False) -> None:
        self._renderer = renderer
        self._vary = vary
        self._world = world
        self._robot = robot
        self._arm = Arm(robot)
        self._limits = Limits.of(robot, 1.0)

    def images(self, seed: int, count: int) -> Iterator[tuple[Rendering, CameraInfo, Objects]]:
        """Render images of the scene of a seed, the first of them at the start of a run."""
        self._world.reset(seed)
        start: Mapping[str, Any] = self._world.truth()
        drawn = {
            label: (np.array(thing.position), yaw_angle(rotation(thing.orientation))) for label, thing in start.items()
        }
        for index in range(count):
            rng = generator(seed, "images", str(index))
            poses = drawn if index == 0 else _scattered(drawn, start, rng)
            joints, opening = self._robot.limit("home"), self._robot.opening
            if index > 0:
                joints, opening = self._reach(poses, rng)
            for label, (position, yaw) in poses.items():
                self._world.place(label, position, np.array([0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2)]))
            self._world.arm("arm").place(joints, opening)
            camera = self._world.camera("overhead", renderer=self._renderer)
            if self._vary:
                camera.vary(generator(seed, "lens", str(index)))
            rendering = camera.render(rgb=True, depth=True, segmentation=True)
            yield rendering, camera.info(), _labelled(self._world, rendering, camera.info())

    @property
    def about(self) -> str:
        """Return the name and version of the renderer."""
        return str(self._world.about()["renderer"])

    def _reach(self, poses: Poses, rng: np.random.Generator) -> tuple[Vector, float]:
        # Draw joints and opening of an arm that is at home, holds a block, is above one, or anywhere.
        home = self._robot.limit("home")
        way = rng.random()
        opening = float(rng.uniform(0.0, self._robot.opening))
        if way < 0.2:
            return home, opening
        label = str(rng.choice([label for label in poses if label in LABELS]))
        block, yaw = poses[label]
        approach = np.array([0.0, 0.0, -1.0])
        if way < 0.4:
            if rng.random() < 0.7:
                block = block + rng.uniform((0.0, 0.0, 0.0), (0.0, 0.0, 0.25))
                poses[label] = block, yaw
            position, opening = block + rng.uniform(-0.006, 0.006, 3), 0.041
        elif way < 0.65:
            position, yaw = block + rng.uniform((-0.07, -0.07, 0.0), (0.07, 0.07, 0.2)), rng.uniform(-np.pi, np.pi)
        else:
            position, yaw = rng.uniform((0.2, -0.4, 0.02), (0.7, 0.45, 0.45)), rng.uniform(-np.pi, np.pi)
            approach = approach + rng.uniform(-0.3, 0.3, 3)
        turn = yaw + rng.integers(4) * np.pi / 2
        joints, _ = self._arm.solve_inverse(
            position,
            tool_rotation(approach / np.linalg.norm(approach), float(turn)),
            home,
            self._limits,
            damping=0.02,
            weight=0.2,
            iterations=80,
        )
        return joints, opening


def _scattered(drawn: Poses, things: Mapping[str, Any], rng: np.random.Generator) -> Poses:
    poses = dict(drawn)
    blocks = [label for label in drawn if label in LABELS]
    for label in blocks:
        half = things[label].size[2] / 2
        way = rng.random()
        if way < 0.4:
            continue
        others = [poses[other] for other in blocks if other != label]
        beside, yaw = others[rng.integers(len(others))] if others else poses[label]
        wild = rng.uniform(-np.pi, np.pi)
        if way < 0.6:
            candidate = np.array([*rng.uniform((0.22, -0.32), (0.66, 0.32)), half]), wild
        elif way < 0.75:  # side by side
            side = yaw + rng.integers(4) * np.pi / 2
            slide = rng.uniform(-0.03, 0.03)
            step = np.array([np.cos(side), np.sin(side), 0.0]) * (2 * half + rng.uniform(0.0, 0.006))
            candidate = beside + step + slide * np.array([-np.sin(side), np.cos(side), 0.0]), side
        elif way < 0.82:  # one on the other
            candidate = beside + rng.uniform((-0.012, -0.012, 2 * half), (0.012, 0.012, 2 * half)), wild
        elif way < 0.9:
            candidate = np.array([*rng.uniform((0.34, 0.30), (0.50, 0.46)), half + 0.004]), wild
        else:
            candidate = np.array([*rng.uniform((0.25, -0.25), (0.62, 0.35)), rng.uniform(half, 0.3)]), wild
        rest = {other: pose for other, pose in poses.items() if other != label}
        if not any(_inside(candidate[0], half, pose[0], things[other].size) for other, pose in rest.items()):
            poses[label] = candidate
    return poses


def _inside(position: Vector, half: float, other: Vector, size: Vector) -> bool:
    flat, high = float(np.hypot(*(position - other)[:2])), abs(float(position[2] - other[2]))
    return flat < half + float(size[:2].min()) / 2 - 1e-9 and high < half + float(size[2]) / 2 - 1e-9


def _labelled(world: Any, rendering: Rendering, info: CameraInfo) -> Objects:
    numbers = rendering.segmentation
    assert numbers is not None
    camera = Pinhole(info)
    cylinders = {thing.label for thing in world.scene.distractors if thing.shape == "cylinder"}
    rows = []
    for label, thing in world.truth().items():
        own = numbers == thing.body
        axes = rotation(thing.orientation)
        pixel, beside = camera.project(np.stack([thing.position, thing.position + 0.01 * axes[:, 0]]))
        column, row = np.rint(pixel).astype(int)
        face = 0.0
        if 0 <= column < WIDTH and 0 <= row < HEIGHT:
            face = own[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3].sum() / 25
        corners = _corners(label in cylinders) * thing.size
        hull = cv2.convexHull(camera.project(corners @ axes.T + thing.position).astype(np.float32))
        visible = min(1.0, own.sum() / cv2.contourArea(hull))
        name = label if label in LABELS else "grey"
        angle = np.arctan2(*(beside - pixel)[::-1])
        rows.append(
            (0, LABELS.index(name), pixel, angle, visible, face, thing.position, yaw_angle(rotation(thing.orientation)))
        )
    return np.array(rows, dtype=OBJECT)


def _corners(cylinder: bool) -> Vector:
    # Corners of a box, or of a prism around a cylinder, with extents of 1.
    turn = np.arange(16) * np.pi / 8 if cylinder else np.arange(4) * np.pi / 2 + np.pi / 4
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (0.5 if cylinder else np.sqrt(0.5))
    return np.concatenate([np.insert(ring, 2, z, axis=1) for z in (-0.5, 0.5)])


def read_robots(fragments: Sequence[Path]) -> list[Robot]:
    """Read the robots of launch fragments that rendered table images show, in their order."""
    robots = []
    for path in fragments:
        for name, entries in yaml.safe_load(path.read_text())["robots"].items():
            robots.append(make(Robot, {"name": name, **entries}, Context(folder=path.parent)))
    return robots


def open_stages(world: str, fragments: Sequence[Path], *, renderer: str = "auto", vary: bool = False) -> list[Stage]:
    """Make a stage for table images of each robot.

    Args:
        world: class of the world, `module:Class`, with a setting `robot`.
        fragments: launch fragments that describe the robots.
        renderer: renderer, as in `Stage`.
        vary: variation of the camera, as in `Stage`.
    """
    module, name = world.split(":")
    kind = getattr(importlib.import_module(module), name)
    robots = read_robots(fragments)
    return [Stage(make(kind, {"robot": robot}, Context()), robot, renderer=renderer, vary=vary) for robot in robots]


def render(stages: Sequence[Stage], seeds: tuple[int, int], count: int) -> Renders:
    """Render table images of scenes, by one stage after the other.

    Args:
        stages: stages for the scenes, in turn for each seed.
        seeds: half-open range of seeds.
        count: number of images of each seed.
    """
    rgb: list[Any] = []
    depth: list[Any] = []
    objects, cameras = [], []
    for seed in range(*seeds):
        for rendering, info, seen in stages[seed % len(stages)].images(seed, count):
            seen["image"] = len(rgb)
            rgb.append(rendering.rgb)
            depth.append(rendering.depth)
            objects.append(seen)
            cameras.append((info.matrix, info.position, info.orientation))
    return Renders(
        np.stack(rgb),
        np.stack(depth),
        np.concatenate(objects),
        np.array(cameras, dtype=CAMERA),
        (seeds,),
        stages[seeds[0] % len(stages)].about,
    )


def main() -> None:
    """Render a set of table images for the block detector into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", required=True, help="first:end, half-open")
    parser.add_argument("--images", type=int, default=8, help="of each seed")
    parser.add_argument("--world", default="sims.tabletop:Tabletop")
    parser.add_argument("--renderer", default="auto", help="renderer of the images")
    parser.add_argument("--vary", action="store_true", help="vary the camera from image to image; for training")
    parser.add_argument("--robots", type=Path, nargs="+", default=ROBOTS, help="launch fragments of the robots")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split(":"))
    stages = open_stages(arguments.world, arguments.robots, renderer=arguments.renderer, vary=arguments.vary)
    render(stages, (first, last), arguments.images).save(arguments.folder)


if __name__ == "__main__":
    main()
