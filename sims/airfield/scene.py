"""An airfield as pure data: a landing pad, marker boards around it, and what the seed wants of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from embodied.node.node import generator
from sims.rendering.mesh import Pixels

REACH = 6.0  # boards lie within so much of the middle, east and north [m]
CLEAR = 2.5  # and so far from the pad [m]
APART = 2.2  # and from each other [m]
BOARD, MARKER = 1.0, 0.8  # edges of a board, and of the marker on it [m]
PAD = 1.2  # edge of the landing pad [m]
NUMBERS = 50  # as many markers as the dictionary has


@dataclass(frozen=True, slots=True)
class Board:
    """A marker board that lies on the ground.

    Attributes:
        label: `marker` and the number of its marker in OpenCV's dictionary DICT_4X4_50.
        number: that number.
        x, y: east and north of its middle [m].
        yaw: of its upper edge's right, from east [rad].
    """

    label: str
    number: int
    x: float
    y: float
    yaw: float

    def picture(self) -> Pixels:
        """What is printed on it."""
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        edge = round(192 * MARKER / BOARD / 6) * 6
        margin = (192 - edge) // 2
        printed = np.full((192, 192), 235, np.uint8)
        marker = cv2.aruco.generateImageMarker(dictionary, self.number, edge)
        printed[margin : margin + edge, margin : margin + edge] = np.clip(marker, 20, 235)
        return np.repeat(printed[:, :, None], 3, axis=2)


@dataclass(frozen=True, slots=True)
class Field:
    """Everything that a seed decides, but for the wind and the sensors.

    Attributes:
        target: label of the board to inspect.
        boards: all of them.
        yaw: of the multirotor on its pad, which is in the middle [rad].
        light: unit vector towards the sun.
        grass: red, green, blue, 0 to 1.
    """

    target: str
    boards: tuple[Board, ...]
    yaw: float
    light: tuple[float, float, float]
    grass: tuple[float, float, float]

    def ground(self) -> Pixels:
        """What the ground looks like: grass, in patches."""
        rng = generator(self.boards[0].number, self.target, "grass")
        tone = np.ones((1024, 1024))
        for size in (32, 128, 1024):
            tone += cv2.resize(rng.normal(0.0, 0.05, (size, size)), (1024, 1024))
        painted: Pixels = np.clip(255 * tone[:, :, None] * np.array(self.grass), 0, 255).astype(np.uint8)
        return painted


def pad() -> Pixels:
    """What is painted on the landing pad: an H in a ring."""
    painted = np.full((192, 192, 3), (40, 70, 120), np.uint8)
    cv2.circle(painted, (96, 96), 80, (240, 240, 240), 10, cv2.LINE_AA)
    for (x0, y0), (x1, y1) in (((66, 52), (78, 140)), ((114, 52), (126, 140)), ((66, 90), (126, 102))):
        painted[y0:y1, x0:x1] = 240
    return painted


def draw(seed: int, boards: int) -> Field:
    """The field of a seed.

    Args:
        seed: of the run.
        boards: how many marker boards, 1 to 6.
    """
    rng = generator(seed, "field", "layout")
    numbers = rng.choice(NUMBERS, boards, replace=False).tolist()
    placed: list[Board] = []
    # Most tries fit; an unlucky field starts afresh, so that the draw ends for every seed.
    while len(placed) < boards:
        placed = []
        for _ in range(100):
            x, y = rng.uniform(-REACH, REACH, 2).tolist()
            apart = all(math.hypot(x - board.x, y - board.y) >= APART for board in placed)
            if apart and math.hypot(x, y) >= CLEAR and len(placed) < boards:
                number = numbers[len(placed)]
                placed.append(Board(f"marker{number}", number, x, y, float(rng.uniform(-math.pi, math.pi))))
    look = generator(seed, "field", "look")
    azimuth, height = look.uniform(-math.pi, math.pi), math.radians(look.uniform(35.0, 80.0))
    light = (math.cos(azimuth) * math.cos(height), math.sin(azimuth) * math.cos(height), math.sin(height))
    tone = look.uniform(0.8, 1.2)
    return Field(
        target=str(rng.choice([board.label for board in placed])),
        boards=tuple(placed),
        yaw=float(rng.uniform(-math.pi, math.pi)),
        light=light,
        grass=(0.36 * tone, 0.44 * tone, 0.22 * tone),
    )
