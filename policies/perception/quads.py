"""Quads: squares of a known size among points on the ground, as the corners of marker boards."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from embodied.messages import Vector

TOLERANCE = 0.15
"""Distance of a corner from where the others put it, at most [edges]."""

FIRST_CORNER = 3 * math.pi / 4
"""Direction of the upper left corner of a quad that is not turned [rad]."""


@dataclass(frozen=True, slots=True)
class Quad:
    """Square on the ground, found by its corners.

    Attributes:
        middle: position as east + north·j [m].
        yaw: direction of one of its sides from east, any of the four [rad].
        edge: measured edge length [m].
        corners: indices of the points that are its corners, three or four.
    """

    middle: complex
    yaw: float
    edge: float
    corners: tuple[int, ...]

    def points(self, across: Vector) -> Vector:
        """Return points of the quad on the ground.

        Args:
            across: right and up of the middle, in halves of an edge, shape (k, 2).

        Returns:
            east and north, shape (k, 2) [m].
        """
        turned = self.middle + (across[:, 0] + 1j * across[:, 1]) * cmath.rect(self.edge / 2, self.yaw)
        return np.stack([turned.real, turned.imag], axis=1)


def find_quads(points: Vector, edge: float) -> Iterator[Quad]:
    """Find squares with at least three corners among points; those with four come first.

    Several may claim the same point: at most one of them has the right print on it.

    Args:
        points: east and north, shape (k, 2) [m].
        edge: edge length of the squares [m].
    """
    at = points[:, 0] + 1j * points[:, 1]
    quads: dict[tuple[int, ...], Quad] = {}
    for one, other in combinations(range(len(at)), 2):
        middle, half = (at[one] + at[other]) / 2, (at[other] - at[one]) / 2
        if abs(2 * abs(half) - math.sqrt(2) * edge) > TOLERANCE * edge:
            continue
        # The ends of the other diagonal lie a quarter turn on, at middle ± half·j.
        ring = [one, -1, other, -1]
        for place, turn in ((1, -1j), (3, 1j)):
            away = np.abs(at - (middle + half * turn))
            nearest = int(np.argmin(away))
            if away[nearest] < TOLERANCE * edge and nearest not in ring:
                ring[place] = nearest
        corners = tuple(sorted(number for number in ring if number >= 0))
        if len(corners) >= 3 and corners not in quads:
            quads[corners] = _fitted(at, ring, corners)
    yield from sorted(quads.values(), key=lambda quad: -len(quad.corners))


def _fitted(at: Vector, ring: list[int], corners: tuple[int, ...]) -> Quad:
    """Fit a square to its corners by least squares: corner k lies at middle + arm·jᵏ."""
    turns = np.array([1j**place for place, number in enumerate(ring) if number >= 0])
    measured = at[[number for number in ring if number >= 0]]
    (middle, arm), *_ = np.linalg.lstsq(np.stack([np.ones_like(turns), turns], axis=1), measured, rcond=None)
    return Quad(complex(middle), cmath.phase(arm) - FIRST_CORNER, math.sqrt(2) * abs(arm), corners)
