"""Images of a board of which everything is known: drawn by the renderer of the simulator through a lens of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from embodied.calibration import Calibration
from embodied.calibration.board import Board, Grey
from embodied.calibration.print_sheet import sheet
from embodied.messages import Vector
from sims.rendering import Light, Rasteriser
from sims.rendering.mesh import rectangle
from sims.rendering.models import Models, Shape
from sims.rendering.view import FAR, NEAR, ImageFormat, View

BOARD = Board(9, 6, 0.025, 0.01875)
TRUTH = Calibration(
    width=960,
    height=540,
    fx=758.0,
    fy=761.0,
    cx=488.3,
    cy=263.7,
    distortion=(-0.24, 0.10, 0.0008, -0.0011, -0.02),
)
FINER = 2  # each pixel is the mean of so many by so many rays
NOISE = 2.0  # standard deviation, of 255
BLUR = 0.6  # of the lens, standard deviation [px]
GROUND = 70  # what is seen beside the board, of 255


@dataclass(frozen=True, eq=False)
class Shot:
    """One image, and where the board truly was: its pose in the optical frame, shape (4, 4) [m]."""

    name: str
    image: Grey
    pose: Vector


def bent(x: Vector, y: Vector, lens: tuple[float, ...]) -> tuple[Vector, Vector]:
    """Where a lens shows what a pinhole shows at (x, y), at focal length 1."""
    k1, k2, p1, p2, k3 = lens
    r = x * x + y * y
    radial = 1 + r * (k1 + r * (k2 + r * k3))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x),
        y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y,
    )


def pixels(camera: Calibration, points: Vector) -> Vector:
    """Where a camera shows points of its optical frame, shape (n, 2) [px]."""
    x, y = bent(points[:, 0] / points[:, 2], points[:, 1] / points[:, 2], camera.distortion)
    return np.stack([camera.fx * x + camera.cx, camera.fy * y + camera.cy], axis=1)


def corners(board: Board, camera: Calibration, pose: Vector, margin: float = 0.0) -> Vector:
    """The outline of a board, in an image [px]."""
    (w, h), m = board.size, margin
    outline = [(x, y, 0.0) for x in np.linspace(-m, w + m, 9) for y in np.linspace(-m, h + m, 9)]
    return pixels(camera, np.array(outline) @ pose[:3, :3].T + pose[:3, 3])


def held(board: Board, camera: Calibration, rng: np.random.Generator) -> Iterator[Vector]:
    """Poses of a board as a person holds it: every part of the image, tilted by 10° to 40°, turned as it comes."""
    w, h = board.size
    while True:
        tilt, to, turn = np.radians(rng.uniform(10, 40)), rng.uniform(0, 2 * np.pi), rng.uniform(-np.pi, np.pi)
        away = rng.uniform(0.23, 0.38)
        at = rng.uniform(0.12, 0.88, 2) * (camera.width, camera.height)
        pose = np.eye(4)
        tilted, _ = cv2.Rodrigues(tilt * np.array([np.cos(to), np.sin(to), 0.0]))
        turned, _ = cv2.Rodrigues(np.array([0.0, 0.0, turn]))
        # Its z points at the camera.
        pose[:3, :3] = tilted @ turned @ np.diag([1.0, -1.0, -1.0])
        middle = np.array([*((at - (camera.cx, camera.cy)) / camera.fx * away), away])
        pose[:3, 3] = middle - pose[:3, :3] @ (w / 2, h / 2, 0.0)
        outline = corners(board, camera, pose)
        inside = (outline >= 2.0) & (outline <= (camera.width - 3, camera.height - 3))
        if inside.all(axis=1).mean() > 0.6:
            yield pose


class Studio:
    """A camera, and a board before it.

    Args:
        camera: what there is to find out.
        board: what is before it.
    """

    def __init__(self, camera: Calibration = TRUTH, board: Board = BOARD) -> None:
        self.camera, self.board = camera, board
        picture, _ = sheet(board, 200.0)
        margin, (w, h) = board.square / 2, board.size
        paper = rectangle((-margin, w + margin), (-margin, h + margin), 0.0, np.repeat(picture[..., None], 3, axis=2))
        shape = Shape(0, paper, np.eye(4), (1.0, 1.0, 1.0), 0, still=False)
        self._renderer = Rasteriser(Models((shape,), ((0, -1),), np.eye(4)[None]), Light((0.3, 0.2, -0.93)))
        v, u = (np.mgrid[: camera.height * FINER, : camera.width * FINER] + 0.5) / FINER - 0.5
        seen = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
        x, y = seen
        for _ in range(12):
            # The lens has no inverse in closed form.
            shown = bent(x, y, camera.distortion)
            x, y = x + seen[0] - shown[0], y + seen[1] - shown[1]
        self._rays = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)

    def shoot(self, pose: Vector, rng: np.random.Generator) -> Grey:
        """An image of the board at a pose, with blur and noise."""
        camera = self.camera
        image = np.full((camera.height, camera.width), float(GROUND))
        found = corners(self.board, camera, pose, self.board.square / 2)
        low = np.maximum(np.floor(found.min(axis=0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(found.max(axis=0)).astype(int) + 3, (camera.width, camera.height))
        rays = self._rays[FINER * low[1] : FINER * high[1], FINER * low[0] : FINER * high[0]]
        # A pinhole that looks at just this part, as finely.
        ahead = rays[rays.shape[0] // 2, rays.shape[1] // 2].astype(np.float64)
        focal = FINER * camera.fx * float(np.linalg.norm(ahead))
        aimed = View.towards((0.0, 0.0, 0.0), tuple(ahead), ImageFormat(16, 16, NEAR, FAR), 1.0).rotation.astype(
            np.float32
        )
        turned = rays @ aimed
        u, v = focal * turned[..., 0] / turned[..., 2], focal * turned[..., 1] / turned[..., 2]
        width, height = (2 * int(np.abs(side).max() + 8) for side in (u, v))
        view = View(np.zeros(3), aimed.astype(np.float64), width, height, focal, 0.02, 10.0)
        drawn = self._renderer.render(pose[None], view, rgb=True, depth=False, segmentation=True)
        assert drawn.rgb is not None
        assert drawn.segmentation is not None
        grey = np.where(drawn.segmentation < 0, GROUND, drawn.rgb[..., 0]).astype(np.float32)
        shift = view.matrix[:2, 2].astype(np.float32)
        fine = cv2.remap(grey, u + shift[0], v + shift[1], cv2.INTER_LINEAR)
        small = fine.reshape(high[1] - low[1], FINER, high[0] - low[0], FINER).mean(axis=(1, 3))
        image[low[1] : high[1], low[0] : high[0]] = small
        image = cv2.GaussianBlur(image, (0, 0), BLUR) + rng.normal(0.0, NOISE, image.shape)
        return np.clip(np.rint(image), 0, 255).astype(np.uint8)

    def shots(self, seed: int, count: int = 20) -> list[Shot]:
        """So many images; the seed decides which."""
        rng = np.random.default_rng(seed)
        return [
            Shot(f"{number:02d}.png", self.shoot(pose, rng), pose)
            for number, pose in zip(range(count), held(self.board, self.camera, rng), strict=False)
        ]


def apart(one: Vector, other: Vector) -> tuple[float, float]:
    """How far two poses are from each other [m; °]."""
    turn, _ = cv2.Rodrigues(one[:3, :3] @ other[:3, :3].T)
    return float(np.linalg.norm(one[:3, 3] - other[:3, 3])), float(np.degrees(np.linalg.norm(turn)))
