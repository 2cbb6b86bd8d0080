"""Squares of a known size among points on the ground, where the corners of boards were seen."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from embodied.messages import Vector

NEAR = 0.15  # a corner lies this near to where the others put it, in edges
FIRST = 3 * math.pi / 4  # where the upper left corner of a square lies that is not turned [rad]


@dataclass(frozen=True, slots=True)
class Square:
    """A square on the ground.

    Attributes:
        middle: east + north·j [m].
        yaw: of one of its sides from east, any of the four [rad].
        edge: as it was seen [m].
        corners: numbers of the points that are its corners, three or four.
    """

    middle: complex
    yaw: float
    edge: float
    corners: tuple[int, ...]

    def points(self, across: Vector) -> Vector:
        """Where points of its picture lie on the ground.

        Args:
            across: right and up of the middle, in halves of an edge, shape (k, 2).

        Returns:
            east and north, shape (k, 2) [m].
        """
        turned = self.middle + (across[:, 0] + 1j * across[:, 1]) * cmath.rect(self.edge / 2, self.yaw)
        return np.stack([turned.real, turned.imag], axis=1)


def squares(points: Vector, edge: float) -> Iterator[Square]:
    """Squares with at least three corners among some points; those with four come first.

    Several may claim the same point: only one of them, if any, has on it what is printed there.

    Args:
        points: east and north, shape (k, 2) [m].
        edge: of a square [m].
    """
    at = points[:, 0] + 1j * points[:, 1]
    found: dict[tuple[int, ...], Square] = {}
    for one, other in combinations(range(len(at)), 2):
        middle, half = (at[one] + at[other]) / 2, (at[other] - at[one]) / 2
        if abs(2 * abs(half) - math.sqrt(2) * edge) > NEAR * edge:
            continue
        # The other diagonal, a quarter turn on.
        ring = [one, -1, other, -1]
        for place, turn in ((1, -1j), (3, 1j)):
            away = np.abs(at - (middle + half * turn))
            nearest = int(np.argmin(away))
            if away[nearest] < NEAR * edge and nearest not in ring:
                ring[place] = nearest
        corners = tuple(sorted(number for number in ring if number >= 0))
        if len(corners) >= 3 and corners not in found:
            found[corners] = _fitted(at, ring, corners)
    yield from sorted(found.values(), key=lambda square: -len(square.corners))


def _fitted(at: Vector, ring: list[int], corners: tuple[int, ...]) -> Square:
    """The square that fits its corners best, in the sense of least squares: corner k lies at middle + arm·jᵏ."""
    turns = np.array([1j**place for place, number in enumerate(ring) if number >= 0])
    seen = at[[number for number in ring if number >= 0]]
    (middle, arm), *_ = np.linalg.lstsq(np.stack([np.ones_like(turns), turns], axis=1), seen, rcond=None)
    return Square(complex(middle), cmath.phase(arm) - FIRST, math.sqrt(2) * abs(arm), corners)
