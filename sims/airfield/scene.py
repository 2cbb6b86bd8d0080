"""Scene of the airfield as plain data: a landing pad, marker boards around it, and the target of the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from embodied.node.node import generator
from sims.rendering.mesh import Pixels

BOARD_REACH = 6.0
"""Largest distance of a board from the middle of the pad, east and north [m]."""

BOARD_CLEARANCE = 2.5
"""Least distance of a board from the middle of the pad [m]."""

BOARD_SPACING = 2.2
"""Least distance between the middles of two boards [m]."""

BOARD_EDGE = 1.0
"""Edge of a board [m]."""

MARKER_EDGE = 0.8
"""Edge of the marker on a board [m]."""

PAD_EDGE = 1.2
"""Edge of the landing pad [m]."""

PAD_LABEL = "pad"
"""Label of the landing pad in the truth of a world."""

BOARDS_MOST = 6
"""Number of boards for which there is place."""

MARKERS = 50
"""Number of markers in OpenCV's dictionary DICT_4X4_50."""


@dataclass(frozen=True, slots=True)
class Board:
    """Marker board on the ground of the airfield.

    Attributes:
        label: `marker` and the number of its marker.
        number: number of its marker in OpenCV's dictionary DICT_4X4_50.
        x, y: position of its middle, east and north [m].
        yaw: direction of its upper edge from left to right, from east [rad].
    """

    label: str
    number: int
    x: float
    y: float
    yaw: float

    def picture(self) -> Pixels:
        """Draw the board with its marker."""
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        edge = round(192 * MARKER_EDGE / BOARD_EDGE / 6) * 6
        margin = (192 - edge) // 2
        printed = np.full((192, 192), 235, np.uint8)
        marker = cv2.aruco.generateImageMarker(dictionary, self.number, edge)
        printed[margin : margin + edge, margin : margin + edge] = np.clip(marker, 20, 235)
        return np.repeat(printed[:, :, None], 3, axis=2)


@dataclass(frozen=True, slots=True)
class AirfieldScene:
    """Everything that a seed decides about the airfield, except the wind and the errors of the sensors.

    Attributes:
        target: label of the board to inspect.
        boards: all boards.
        yaw: heading of the multirotor on its pad, which is in the middle [rad].
        light: unit vector towards the sun.
        grass: colour of the grass (RGB, 0 to 1).
    """

    target: str
    boards: tuple[Board, ...]
    yaw: float
    light: tuple[float, float, float]
    grass: tuple[float, float, float]

    def ground(self) -> Pixels:
        """Draw the ground: grass in patches."""
        rng = generator(self.boards[0].number, self.target, "grass")
        tone = np.ones((1024, 1024))
        for size in (32, 128, 1024):
            tone += cv2.resize(rng.normal(0.0, 0.05, (size, size)), (1024, 1024))
        painted: Pixels = np.clip(255 * tone[:, :, None] * np.array(self.grass), 0, 255).astype(np.uint8)
        return painted


def pad() -> Pixels:
    """Draw the airfield's landing pad: an H in a ring."""
    painted = np.full((192, 192, 3), (40, 70, 120), np.uint8)
    cv2.circle(painted, (96, 96), 80, (240, 240, 240), 10, cv2.LINE_AA)
    for (x0, y0), (x1, y1) in (((66, 52), (78, 140)), ((114, 52), (126, 140)), ((66, 90), (126, 102))):
        painted[y0:y1, x0:x1] = 240
    return painted


def draw(seed: int, boards: int) -> AirfieldScene:
    """Draw the airfield's scene of a seed.

    Args:
        seed: seed of the run.
        boards: number of marker boards, 1 to `BOARDS_MOST`.
    """
    rng = generator(seed, "field", "layout")
    numbers = rng.choice(MARKERS, boards, replace=False).tolist()
    placed: list[Board] = []
    # Most tries fit; an unlucky draw starts afresh, so that drawing ends for every seed.
    while len(placed) < boards:
        placed = []
        for _ in range(100):
            x, y = rng.uniform(-BOARD_REACH, BOARD_REACH, 2).tolist()
            apart = all(math.hypot(x - board.x, y - board.y) >= BOARD_SPACING for board in placed)
            if apart and math.hypot(x, y) >= BOARD_CLEARANCE and len(placed) < boards:
                number = numbers[len(placed)]
                placed.append(Board(f"marker{number}", number, x, y, float(rng.uniform(-math.pi, math.pi))))
    look = generator(seed, "field", "look")
    azimuth, height = look.uniform(-math.pi, math.pi), math.radians(look.uniform(35.0, 80.0))
    light = (math.cos(azimuth) * math.cos(height), math.sin(azimuth) * math.cos(height), math.sin(height))
    tone = look.uniform(0.8, 1.2)
    return AirfieldScene(
        target=str(rng.choice([board.label for board in placed])),
        boards=tuple(placed),
        yaw=float(rng.uniform(-math.pi, math.pi)),
        light=light,
        grass=(0.36 * tone, 0.44 * tone, 0.22 * tone),
    )
