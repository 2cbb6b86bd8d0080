from __future__ import annotations

import cmath
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embodied.messages import Vector
from policies.perception.quads import Quad, find_quads

EDGE = 1.0
ANGLES = st.floats(-math.pi, math.pi)
PLACES = st.floats(-6.0, 6.0)
HALVES = np.array([(-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)])


def corners(east: float, north: float, yaw: float, edge: float = EDGE) -> Vector:
    """Of a square, the upper left one first, with the clock."""
    return Quad(complex(east, north), yaw, edge, ()).points(HALVES)


def same(one: float, other: float) -> bool:
    """Whether two angles are the same but for quarter turns."""
    return abs(cmath.exp(4j * one) - cmath.exp(4j * other)) < 1e-6


@given(PLACES, PLACES, ANGLES)
def test_four_corners_make_one_square_with_their_middle_and_yaw(east: float, north: float, yaw: float) -> None:
    (found,) = find_quads(corners(east, north, yaw), EDGE)
    assert abs(found.middle - complex(east, north)) < 1e-9
    assert same(found.yaw, yaw)
    assert abs(found.edge - EDGE) < 1e-9
    assert found.corners == (0, 1, 2, 3)


@given(PLACES, PLACES, ANGLES, st.integers(0, 3))
def test_any_three_of_them_make_the_same_square(east: float, north: float, yaw: float, missing: int) -> None:
    (found,) = find_quads(np.delete(corners(east, north, yaw), missing, axis=0), EDGE)
    assert abs(found.middle - complex(east, north)) < 1e-9
    assert same(found.yaw, yaw)


@given(PLACES, PLACES, ANGLES)
def test_two_corners_make_none(east: float, north: float, yaw: float) -> None:
    for pair in ([0, 1], [0, 2]):
        assert list(find_quads(corners(east, north, yaw)[pair], EDGE)) == []


@given(ANGLES, st.floats(1.3, 3.0))
def test_a_square_of_another_size_is_none(yaw: float, edge: float) -> None:
    assert list(find_quads(corners(0.0, 0.0, yaw, edge), EDGE)) == []


def test_no_points_make_no_square() -> None:
    assert list(find_quads(np.zeros((0, 2)), EDGE)) == []


def test_squares_among_other_points_are_all_found_and_whole_ones_come_first() -> None:
    rng = np.random.default_rng(0)
    three, four = corners(2.0, 1.0, 0.4)[:3], corners(-2.0, -1.0, 1.2)
    noise = rng.uniform(-6.0, 6.0, (6, 2))
    found = list(find_quads(np.concatenate([three, noise, four]), EDGE))
    assert abs(found[0].middle - (-2.0 - 1.0j)) < 1e-9
    assert any(abs(square.middle - (2.0 + 1.0j)) < 1e-9 for square in found)


def test_corners_that_are_a_little_off_are_fitted_in_the_sense_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(200):
        (found,) = find_quads(corners(1.0, 2.0, 0.3) + rng.normal(0.0, 0.02, (4, 2)), EDGE)
        errors.append(found.middle - (1.0 + 2.0j))
    # The mean of four: half as wrong as each.
    assert 0.008 < np.std(np.real(errors)) < 0.012
